#include <catch2/catch.hpp>
#include <cerrno>

#include "hrvm/base/error.hpp"
#include "hrvm/base/finding.hpp"

using namespace hrvm::base;

TEST_CASE("an error carries what failed, on what, where, and what to do") {
  try {
    throw Error(ErrorKind::corrupt, "no magic").on("/dev/sda").at(512).hint("run hrvm discover");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::corrupt);
    CHECK(error.message() == "no magic");
    CHECK(error.path() == "/dev/sda");
    CHECK(error.offset() == 512u);
    CHECK(error.hint() == "run hrvm discover");
    CHECK(std::string(error.what()) == "no magic");
  }
}

TEST_CASE("an error says going up what was being done, and keeps the rest") {
  try {
    try {
      throw Error(ErrorKind::io, "bad sector").on("win.qcow2").at(7).hint("h");
    } catch (Error& error) {
      error.while_doing("reading L2 table 3").while_doing("checking win.qcow2");
      throw;
    }
  } catch (const Error& error) {
    CHECK(error.message() == "checking win.qcow2: reading L2 table 3: bad sector");
    CHECK(error.kind() == ErrorKind::io);
    CHECK(error.path() == "win.qcow2");
    CHECK(error.offset() == 7u);
    CHECK(error.hint() == "h");
  }
}

TEST_CASE("an error of the system says what could not be done to which file") {
  const Error error = system_error(EACCES, "open", "/dev/sda");
  CHECK(error.message() == "cannot open /dev/sda: Permission denied");
  CHECK(error.path() == "/dev/sda");
}

TEST_CASE("the kind of an error of the system follows from errno") {
  const std::pair<int, ErrorKind> meanings[] = {
      {ENOENT, ErrorKind::not_found}, {EACCES, ErrorKind::permission}, {EPERM, ErrorKind::permission},
      {EROFS, ErrorKind::permission}, {EEXIST, ErrorKind::exists},     {EBUSY, ErrorKind::busy},
      {ETXTBSY, ErrorKind::busy},     {ENOSPC, ErrorKind::io},         {EIO, ErrorKind::io}};
  for (const auto& [value, kind] : meanings) CHECK(system_error(value, "do", "x").kind() == kind);
}

TEST_CASE("a full filesystem comes with advice") {
  CHECK_FALSE(system_error(ENOSPC, "write", "x").hint().empty());
  CHECK_FALSE(system_error(EDQUOT, "write", "x").hint().empty());
  CHECK(system_error(EIO, "write", "x").hint().empty());
}

TEST_CASE("kinds and severities have the words that JSON prints") {
  CHECK(word(ErrorKind::usage) == "usage");
  CHECK(word(ErrorKind::not_found) == "not_found");
  CHECK(word(ErrorKind::interrupted) == "interrupted");
  CHECK(word(Severity::note) == "note");
  CHECK(word(Severity::warning) == "warning");
  CHECK(word(Severity::error) == "error");
}
