#include <catch2/catch.hpp>
#include <limits>

#include "hrvm/base/error.hpp"
#include "hrvm/base/json.hpp"

using namespace hrvm::base;
using namespace std::string_literals;

namespace {

Error failure(const std::string& text) {
  try {
    parse_json(text, "definition.json");
  } catch (const Error& error) {
    return error;
  }
  throw std::logic_error("this was parsed: " + text);
}

std::string nested(std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

}  // namespace

TEST_CASE("members keep the order in which they were set, and setting again keeps the place") {
  Json value;
  value.set("zebra", 1).set("ant", 2).set("zebra", 3);
  CHECK(to_text(value, -1) == R"({"zebra":3,"ant":2})");
  CHECK(to_text(parse_json(R"({"b":1,"a":2})", "x"), -1) == R"({"b":1,"a":2})");
}

TEST_CASE("a value is read back as it was written") {
  Json value = Json::object();
  value.set("null", nullptr).set("yes", true).set("text", "a\"\\\n\x01ä").set("none", Json::array());
  value.set("numbers",
            Json(Json::Array{0, -1, 1.5, std::numeric_limits<std::int64_t>::min(),
                             std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::uint64_t>::max()}));
  value.set("object", Json::object());
  CHECK(parse_json(to_text(value), "x") == value);
  CHECK(parse_json(to_text(value, -1), "x") == value);
}

TEST_CASE("a number is the same number whatever integer type it came from") {
  CHECK(Json(5) == Json(5u));
  CHECK(Json(std::int64_t{5}) == Json(std::uint64_t{5}));
  CHECK(parse_json("5", "x") == Json(std::uint64_t{5}));
  CHECK(Json(std::uint64_t{5}).integer() == 5);
}

TEST_CASE("integers keep their whole range") {
  CHECK(parse_json("18446744073709551615", "x").unsigned_integer() == UINT64_MAX);
  CHECK(parse_json("-9223372036854775808", "x").integer() == INT64_MIN);
  CHECK_FALSE(parse_json("18446744073709551615", "x").integer());
  CHECK_FALSE(parse_json("-1", "x").unsigned_integer());
  CHECK(parse_json("18446744073709551616", "x").number() == 18446744073709551616.0);
}

TEST_CASE("an integer is a number, a fraction is no integer") {
  CHECK(parse_json("3", "x").number() == 3.0);
  CHECK_FALSE(parse_json("3.5", "x").integer());
  CHECK(parse_json("3.5", "x").is_number());
}

TEST_CASE("the wrong type reads as absence") {
  const Json text("5"), number(5);
  CHECK_FALSE(text.integer());
  CHECK_FALSE(text.boolean());
  CHECK_FALSE(number.text());
  CHECK_FALSE(number.boolean());
  CHECK(number.items().empty());
  CHECK(number.members().empty());
  CHECK(number["x"].is_null());
  CHECK(Json(std::optional<int>()).is_null());
  CHECK(Json(std::optional<int>(4)) == Json(4));
}

TEST_CASE("a path walks through nested objects, and nothing is found beyond a gap") {
  const Json value = parse_json(R"({"base":{"path":"/dev/sda"}})", "x");
  CHECK(value.at_path("base.path").text() == "/dev/sda"s);
  CHECK(value.at_path("base.size").is_null());
  CHECK(value.at_path("base.path.deeper").is_null());
  CHECK(value.contains("base"));
  CHECK_FALSE(value.contains("path"));
}

TEST_CASE("lists of text become arrays, also when they are empty") {
  CHECK(to_text(Json(std::vector<std::string>{"a", "b"}), -1) == R"(["a","b"])");
  CHECK(to_text(Json(std::vector<std::string>{}), -1) == "[]");
  CHECK(to_text(Json().push(1).push("x"), -1) == R"([1,"x"])");
}

TEST_CASE("broken JSON is corrupt, and the error says where") {
  const Error error = failure(R"({"a":1,})");
  CHECK(error.kind() == ErrorKind::corrupt);
  CHECK(error.path() == "definition.json");
  CHECK(error.offset() == 7u);
  CHECK_THAT(error.message(), Catch::StartsWith("definition.json is not valid JSON: line 1, column 8: "));
}

TEST_CASE("what is not one whole JSON text is refused") {
  for (const auto text : {"", " ", "{", "[1", "\"a", "{\"a\"}", "1 2", "tru", "nul", "{a:1}", "'a'", "[1,]", "// x\n1",
                          "1/**/", "\"\x01\"", "\"\xff\"", "01", "1e999", "NaN"})
    CHECK(failure(text).kind() == ErrorKind::corrupt);
}

TEST_CASE("a text cut off anywhere is refused") {
  const std::string whole = R"({"schema":1,"layers":[{"id":"a","size":-1.5e3}],"x":"\u00e4"})";
  REQUIRE_NOTHROW(parse_json(whole, "x"));
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK_THROWS_AS(parse_json(whole.substr(0, length), "x"), Error);
}

TEST_CASE("64 levels are read and 65 are refused at the bracket that opens them") {
  CHECK_NOTHROW(parse_json(nested(64), "x"));
  const Error error = failure(nested(65));
  CHECK(error.kind() == ErrorKind::corrupt);
  CHECK(error.offset() == 64u);
}

TEST_CASE("brackets in strings do not nest") {
  const std::string brackets(100, '[');
  CHECK(parse_json("\"\\\"" + brackets + "\"", "x").text() == "\"" + brackets);
  CHECK(failure("\"\\\\\"" + brackets).kind() == ErrorKind::corrupt);
}

TEST_CASE("a million open brackets end in an error, not in a stack overflow") {
  CHECK(failure(std::string(1000000, '[')).kind() == ErrorKind::corrupt);
  CHECK(failure([] {
          std::string text;
          for (int i = 0; i < 1000000; ++i) text += "{\"\":";
          return text;
        }())
            .kind() == ErrorKind::corrupt);
}

TEST_CASE("of repeated members the last counts, and many of them take no quadratic time") {
  CHECK(to_text(parse_json(R"({"a":1,"b":2,"a":3})", "x"), -1) == R"({"a":3,"b":2})");
  std::string text = "{\"first\":0";
  for (int i = 0; i < 100000; ++i) text += ",\"" + std::to_string(i) + "\":0";
  CHECK(parse_json(text + "}", "x").members().size() == 100001);
}

TEST_CASE("an error about hostile JSON is short and harmless on a terminal") {
  const std::string message = failure("[\"" + std::string(100000, 'x') + "\x1b").message();
  CHECK(message.size() < 1000);
  CHECK(message.find('\x1b') == std::string::npos);
}

TEST_CASE("what is written is valid JSON even if a string is no UTF-8") {
  CHECK(to_text(Json("a\xff"), -1) == "\"a\xef\xbf\xbd\"");
  CHECK(to_text(Json(std::numeric_limits<double>::infinity()), -1) == "null");
}

TEST_CASE("a text is indented by its levels, and what is empty stands on one line") {
  const Json value = Json::object()
                         .set("a", Json::array().push(1).push(Json::object().set("b", nullptr)))
                         .set("none", Json::array())
                         .set("nothing", Json::object());
  CHECK(to_text(value) ==
        "{\n  \"a\": [\n    1,\n    {\n      \"b\": null\n    }\n  ],\n  \"none\": [],\n  \"nothing\": {}\n}");
  CHECK(to_text(value, -1) == R"({"a":[1,{"b":null}],"none":[],"nothing":{}})");
  CHECK(to_text_behind("x", "y", Json::object().set("a", true)) == "{\n  \"x\": \"y\",\n  \"a\": true\n}");
  CHECK(to_text_behind("x", 1, Json::object()) == "{\n  \"x\": 1\n}");
}

TEST_CASE("what cannot stand in a text as it is is escaped, in names too") {
  CHECK(to_text(Json("\"\\\n\x01\x7f\u00e4"), -1) == "\"\\\"\\\\\\n\\u0001\x7f\u00e4\"");
  CHECK(to_text(Json::object().set("a\"\xff", 1), -1) == "{\"a\\\"\xef\xbf\xbd\":1}");
  CHECK(to_text(Json(std::uint64_t(18446744073709551615u)), -1) == "18446744073709551615");
  CHECK(to_text(Json(std::int64_t(-5)), -1) == "-5");
  CHECK(to_text(Json(0.5), -1) == "0.5");
  CHECK(to_text(Json(2.0), -1) == "2.0");
}
