#include <catch2/catch.hpp>
#include <sstream>

#include "hrvm/report/report.hpp"

using namespace hrvm::report;
using hrvm::base::Json;

static Json object(std::initializer_list<std::pair<const char*, Json>> members) {
  Json json = Json::object();
  for (const auto& [key, value] : members) json.set(key, value);
  return json;
}

static std::string human(const Report& report, HumanStyle style = {}) {
  std::ostringstream out;
  render_human(report, style, out);
  return out.str();
}

static std::string plain(const Report& report) {
  std::ostringstream out;
  render_plain(report, out);
  return out.str();
}

static Report machines(Json rows) {
  return {.schema = "hrvm.list/1",
          .data = object({{"machines", std::move(rows)}}),
          .human = {TableView{
              .rows = "machines",
              .columns = {{"NAME", "name"}, {"SIZE", "size_bytes", Format::bytes, Align::right}, {"BASE", "base.path"}},
              .when_empty = "No machines."}},
          .plain = {.rows = "machines", .columns = {{"", "name"}, {"", "size_bytes"}, {"", "base.path"}}}};
}

static Report two_machines() {
  return machines(
      Json::Array{object({{"name", "web"}, {"size_bytes", 1536}, {"base", object({{"path", "/dev/sda"}})}}),
                  object({{"name", "database"}, {"size_bytes", 5}, {"base", object({{"path", "/dev/sdb"}})}})});
}

TEST_CASE("a table is aligned, numbers to the right, with sizes in words") {
  CHECK(human(two_machines()) ==
        "NAME         SIZE  BASE\n"
        "web       1.5 KiB  /dev/sda\n"
        "database      5 B  /dev/sdb\n");
}

TEST_CASE("headings are bold only where colours are on") {
  CHECK(human(two_machines(), {.color = Color::on}).starts_with("\033[1mNAME         SIZE  BASE\033[0m\n"));
  CHECK(human(two_machines()).find('\033') == std::string::npos);
}

TEST_CASE("an empty table says so to a person and nothing to a script") {
  const auto report = machines(Json::array());
  CHECK(human(report) == "No machines.\n");
  CHECK(plain(report).empty());
}

TEST_CASE("a column that is null in every row is left out for a person and kept for a script") {
  const auto report = machines(Json::Array{object({{"name", "web"}, {"size_bytes", 1}})});
  CHECK(human(report) == "NAME  SIZE\nweb    1 B\n");
  CHECK(plain(report) == "web\t1\t\n");
}

TEST_CASE("a table wider than the terminal cuts its last text column") {
  const auto text = human(two_machines(), {.columns = 24});
  CHECK(text ==
        "NAME         SIZE  BASE\n"
        "web       1.5 KiB  /dev/sda\n"
        "database      5 B  /dev/sdb\n");
  const auto report = machines(Json::Array{
      object({{"name", "web"}, {"size_bytes", 1}, {"base", object({{"path", "/dev/disk/by-id/ata-Samsung_SSD"}})}})});
  CHECK(human(report, {.columns = 30}) == "NAME  SIZE  BASE\nweb    1 B  /dev/disk/by-id/a…\n");
}

TEST_CASE("columns line up behind wide and combining characters") {
  const auto report = machines(Json::Array{
      object({{"name", "日本"}, {"size_bytes", 1}}),
      object({{"name",
               "e\xcc\x81"
               "a"},
              {"size_bytes", 2}}),
      object({{"name", "four"}, {"size_bytes", 3}}),
  });
  CHECK(human(report) ==
        "NAME  SIZE\n日本   1 B\ne\xcc\x81"
        "a     2 B\nfour   3 B\n");
}

TEST_CASE("control characters from a disk never reach the terminal") {
  const auto report = machines(Json::Array{object({{"name", "a\033[2Jb"}})});
  CHECK(human(report).find('\033') == std::string::npos);
  CHECK(human(report).find("\\x1b") != std::string::npos);
}

TEST_CASE("plain escapes what would break a line into fields") {
  const auto report = machines(Json::Array{object({{"name", "a\tb\nc\\d"}, {"size_bytes", 1536}})});
  CHECK(plain(report) == "a\\tb\\nc\\\\d\t1536\t\n");
}

TEST_CASE("fields line up and what is null is left out") {
  const Report report{.schema = "hrvm.show/1",
                      .data = object({{"name", "web"},
                                      {"created", "2026-02-14T09:41:07Z"},
                                      {"running", false},
                                      {"pid", nullptr},
                                      {"because", Json(std::vector<std::string>{"one", "two"})}}),
                      .human = {FieldsView{.fields = {{"Name", "name"},
                                                      {"Created", "created", Format::time},
                                                      {"Running", "running", Format::yes_no},
                                                      {"Process", "pid"},
                                                      {"Because", "because"}}}}};
  CHECK(human(report) ==
        "Name:    web\n"
        "Created: 2026-02-14 09:41\n"
        "Running: no\n"
        "Because: one, two\n");
  CHECK(plain(report) == human(report));
}

TEST_CASE("seconds are told to a person in the units that matter, and to a script as they are") {
  const std::vector<std::pair<std::uint64_t, std::string>> durations{
      {0, "0 s"}, {59, "59 s"}, {60, "1 min"}, {12'000, "3 h 20 min"}, {3600, "1 h 0 min"}, {90'000, "1 d 1 h"}};
  for (const auto& [seconds, words] : durations) {
    const Report report{.schema = "x/1",
                        .data = object({{"left", seconds}}),
                        .human = {FieldsView{.fields = {{"Left", "left", Format::duration}}}},
                        .plain = {.columns = {{"", "left"}}}};
    CHECK(human(report) == "Left: " + words + "\n");
    CHECK(plain(report) == std::to_string(seconds) + "\n");
  }
}

TEST_CASE("a list shown as lines stands below its first item") {
  const Report report{.schema = "x/1",
                      .data = object({{"name", "web"}, {"because", Json(std::vector<std::string>{"one", "t\nwo"})}}),
                      .human = {FieldsView{.fields = {{"Name", "name"}, {"Because", "because", Format::lines}}}}};
  CHECK(human(report) == "Name:    web\nBecause: one\n         t\\x0awo\n");
}

TEST_CASE("findings come worst first, each with its remedy below") {
  const Report report{
      .schema = "x/1",
      .data = object({{"findings", Json::Array{object({{"severity", "note"}, {"message", "small"}}),
                                               object({{"severity", "error"},
                                                       {"subject", "/dev/sda"},
                                                       {"message", "broken"},
                                                       {"remedy", "fix it\nthen again"}}),
                                               object({{"severity", "warning"}, {"message", "odd"}})}}}),
      .human = {FindingsView{"findings"}}};
  CHECK(human(report) ==
        "error: /dev/sda: broken\n"
        "    fix it\n"
        "    then again\n"
        "warning: odd\n"
        "note: small\n");
  CHECK(human(report, {.color = Color::on}).starts_with("\033[1;31merror:\033[0m /dev/sda: broken\n"));
}

TEST_CASE("each object of a list has its heading and its own views, set apart by an empty line") {
  const Report report{
      .schema = "x/1",
      .data = object({{"disks", Json::Array{object({{"path", "/dev/sda"}, {"model", "Disk"}, {"size_bytes", 1024}}),
                                            object({{"path", "/dev/sdb"}, {"size_bytes", 2048}})}}}),
      .human = {EachView{.rows = "disks",
                         .heading = {{"", "path"}, {"", "model"}},
                         .views = {FieldsView{.fields = {{"Size", "size_bytes", Format::bytes}}}}},
                TextView{"done"}}};
  CHECK(human(report) == "/dev/sda  Disk\nSize: 1 KiB\n\n/dev/sdb\nSize: 2 KiB\ndone\n");
}

TEST_CASE("what is in force now comes before what will be, where they differ, and a note is in brackets") {
  const auto text_of = [](Json object) {
    const FieldsView view{.fields = {{.title = "Memory", .path = "set", .format = Format::bytes, .now = "runs"},
                                     {.title = "State", .path = "state", .note = "why"}}};
    return human({.schema = "x/1", .data = std::move(object), .human = {view}});
  };
  CHECK(text_of(object({{"set", 1024}, {"runs", 2048}})) == "Memory: 2 KiB (next boot: 1 KiB)\n");
  CHECK(text_of(object({{"set", 1024}, {"runs", 1024}})) == "Memory: 1 KiB\n");
  CHECK(text_of(object({{"set", 1024}, {"runs", nullptr}})) == "Memory: 1 KiB\n");
  CHECK(text_of(object({{"state", "paused"}, {"why", "by\nhand"}})) == "State: paused (by\\x0ahand)\n");
}

TEST_CASE("rows below a row are indented, for people alone") {
  auto report = machines(Json::Array{object({{"name", "web"},
                                             {"runs", Json::Array{object({{"name", "own"}, {"extra", false}}),
                                                                  object({{"name", "other"}, {"extra", true}})}}}),
                                     object({{"name", "db"}})});
  report.human = {TableView{.rows = "machines", .columns = {{"NAME", "name"}}, .only = "extra", .below = "runs"}};
  CHECK(human(report) == "NAME\nweb\n  other\ndb\n");
}

TEST_CASE("JSON has the schema first and raw values") {
  std::ostringstream out;
  render_json(machines(Json::Array{object({{"name", "web"}, {"size_bytes", 1536}})}), out);
  CHECK(out.str() ==
        "{\n  \"schema\": \"hrvm.list/1\",\n  \"machines\": [\n    {\n      \"name\": \"web\",\n      \"size_bytes\": "
        "1536\n"
        "    }\n  ]\n}\n");
}
