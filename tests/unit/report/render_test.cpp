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
  CHECK(plain(report) ==
        "Name:    web\n"
        "Created: 2026-02-14T09:41:07Z\n"
        "Running: no\n"
        "Because: one, two\n");
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

static Report steps(const char* first, const char* second) {
  return {.schema = "hrvm.log/1",
          .data = object({{"steps", Json::Array{object({{"when", first}}), object({{"when", second}})}}}),
          .human = {TableView{.rows = "steps", .columns = {{"WHEN", "when", Format::time}}}},
          .plain = {.rows = "steps", .columns = {{"", "when"}}}};
}

TEST_CASE("times are local for a person and UTC for a script") {
  const auto report = steps("2026-02-14T22:41:07Z", "2026-07-01T12:00:00Z");
  const auto july = hrvm::base::parse_time("2026-04-01T00:00:00Z").value();
  const HumanStyle berlin{
      .utc_offset = [july](hrvm::base::Time time) { return std::chrono::seconds(time < july ? 3600 : 7200); }};
  CHECK(human(report, berlin) == "WHEN\n2026-02-14 23:41\n2026-07-01 14:00\n");
  CHECK(plain(report) == "2026-02-14T22:41:07Z\n2026-07-01T12:00:00Z\n");
}

TEST_CASE("rows that would look alike have their seconds told, all of them") {
  CHECK(human(steps("2026-02-14T09:41:07Z", "2026-02-14T09:41:59Z")) ==
        "WHEN\n2026-02-14 09:41:07\n2026-02-14 09:41:59\n");
  CHECK(human(steps("2026-02-14T09:41:07Z", "2026-02-14T09:41:07Z")) == "WHEN\n2026-02-14 09:41\n2026-02-14 09:41\n");
}

static Report wide_machine() {
  return {.schema = "hrvm.list/1",
          .data = object({{"machines", Json::Array{object({{"name", "web-with-a-long-name"},
                                                           {"system", "Debian GNU/Linux 12"},
                                                           {"direct", true},
                                                           {"base", "/dev/disk/by-id/ata-Samsung_SSD_870-part"}})}}}),
          .human = {TableView{.rows = "machines",
                              .columns = {{"NAME", "name"},
                                          {"SYSTEM", "system", Format::text, Align::left, 2},
                                          {"DIRECT", "direct", Format::yes_no, Align::left, 1},
                                          {"BASE", "base", Format::path}}}}};
}

TEST_CASE("in a narrow terminal the least useful column goes first, and a path is cut in its middle") {
  CHECK(human(wide_machine(), {.columns = 90}) ==
        "NAME                  SYSTEM               DIRECT  BASE\n"
        "web-with-a-long-name  Debian GNU/Linux 12  yes     /dev/disk/by-id/ata…amsung_SSD_870-part\n");
  CHECK(human(wide_machine(), {.columns = 60}) ==
        "NAME                  SYSTEM            BASE\n"
        "web-with-a-long-name  Debian GNU/Linu…  /dev/disk…D_870-part\n");
  CHECK(human(wide_machine(), {.columns = 42}) ==
        "NAME                  BASE\n"
        "web-with-a-long-name  /dev/disk…D_870-part\n");
}

TEST_CASE("the name in the first column stays whole however narrow the terminal is") {
  CHECK(human(wide_machine(), {.columns = 10}).find("web-with-a-long-name") != std::string::npos);
}

TEST_CASE("a number stays whole in a narrow terminal, whatever else is cut for it") {
  Report report;
  report.data = Json::object().set(
      "files",
      Json::Array{object({{"mode", "-rw"}, {"size", "1234567890123456789"}, {"path", "a-name-of-some-length"}})});
  report.human = {TableView{.rows = "files",
                            .columns = {{"", "mode"}, {"", "size", Format::text, Align::right}, {"", "path"}},
                            .has_heading = false}};
  CHECK(human(report, {.columns = 40}) == "-rw  1234567890123456789  a-name-of-som…\n");
}

TEST_CASE("without a terminal nothing is cut") {
  const auto text = human(wide_machine(), {.columns = any_width});
  CHECK(text.find("/dev/disk/by-id/ata-Samsung_SSD_870-part") != std::string::npos);
}

TEST_CASE("a terminal that has ASCII alone gets nothing else") {
  CHECK(to_ascii("├─ a → b…") == "|- a -> b...");
  CHECK(to_ascii("└─ ● größe") == "`- * gr\\xc3\\xb6\\xc3\\x9fe");
  CHECK(human(wide_machine(), {.columns = 42, .ascii = true}) ==
        "NAME                  BASE\n"
        "web-with-a-long-name  /dev/dis..._870-part\n");
}

TEST_CASE("what is shown as ASCII lines up as it is shown") {
  const auto report = machines(
      Json::Array{object({{"name", "größe"}, {"size_bytes", 1}}), object({{"name", "web"}, {"size_bytes", 2}})});
  CHECK(human(report, {.ascii = true}) ==
        "NAME                 SIZE\n"
        "gr\\xc3\\xb6\\xc3\\x9fe   1 B\n"
        "web                   2 B\n");
}

TEST_CASE("titles and lines of text bring no control characters either") {
  Report report = machines(Json::array());
  report.human = {TextView{"Imported /dev/\033[2J as\tweb\r\nand more\n"}};
  CHECK(human(report) == "Imported /dev/\\x1b[2J as\tweb\nand more\n");
  report.data = object({{"machines", Json::Array{object({{"name", "web"}})}}});
  report.human = {TableView{.title = "of \033c", .rows = "machines", .columns = {{"NAME", "name"}}}};
  CHECK(human(report) == "of \\x1bc\nNAME\nweb\n");
}

TEST_CASE("plain is raw in a pipe, and harmless on a terminal") {
  const auto report = machines(Json::Array{object({{"name", "a\033[2Jb"}})});
  CHECK(plain(report) == "a\033[2Jb\t\t\n");
  std::ostringstream out;
  render_plain(report, out, Reader::terminal);
  CHECK(out.str() == "a\\x1b[2Jb\t\t\n");
}

TEST_CASE("a drawing has rows of its own, which are not among the data") {
  Report report = machines(Json::array());
  report.human = {TableView{.rows = "",
                            .columns = {{"", "tree"}, {"", "size", Format::text, Align::right}},
                            .drawn = Json::Array{object({{"tree", "└─ a"}, {"size", "5 B"}})},
                            .has_heading = false}};
  CHECK(human(report) == "└─ a  5 B\n");
}
