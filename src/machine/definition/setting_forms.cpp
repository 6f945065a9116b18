// The forms that the value of a setting has, by its type: what a person writes, and what a definition says.
#include "machine/definition/setting_forms.hpp"

#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/text.hpp"
#include "machine/definition/definition_schema.hpp"

namespace hrvm::machine {
namespace {

using Setting = HardwareSetting;

// What each type of value is in words. For a type that is a closed set these are its words; others have them here.
template <typename T>
std::vector<std::string> words(T) {
  if constexpr (base::HasWords<T>) return base::all_words<T>();
  return {};
}
std::vector<std::string> words(bool) { return {"on", "off"}; }
std::vector<std::string> words(std::optional<Nic>) { return base::all_words<Nic>(); }
std::vector<std::string> words(const Network&) {
  auto kinds = base::all_words<NetworkKind>();
  kinds.at(std::size_t(NetworkKind::bridge)) += "=INTERFACE";
  return kinds;
}
std::vector<std::string> words(const std::vector<PortForward>&) { return {"none"}; }
std::vector<std::string> words(const std::vector<Share>&) { return {"none"}; }

// From what a person writes. False where it cannot be that.
template <base::HasWords T>
bool take(const Setting&, T& place, const std::string& text) {
  const auto value = from_word<T>(text);
  place = value.value_or(place);
  return value.has_value();
}

bool take(const Setting& setting, std::uint64_t& place, const std::string& text) {
  const auto bytes = base::parse_bytes(text);
  if (!bytes || !setting.limits.hold(*bytes) || *bytes % base::MiB != 0) return false;
  place = *bytes;
  return true;
}

bool take(const Setting& setting, unsigned& place, const std::string& text) {
  const auto number = base::parse_unsigned(text);
  if (!number || !setting.limits.hold(*number)) return false;
  place = unsigned(*number);
  return true;
}

bool take(const Setting&, bool& place, const std::string& text) {
  place = text == "on";
  return text == "on" || text == "off";
}

bool take(const Setting&, std::string& place, const std::string& text) {
  place = text == "auto" ? "" : text;
  return text == "auto" || is_cpu_model(text);
}

bool take(const Setting&, std::optional<Nic>& place, const std::string& text) {
  place = from_word<Nic>(text);
  return place.has_value();
}

bool take(const Setting&, Network& place, const std::string& text) {
  const auto network = network_from(text);
  place = network.value_or(place);
  return network.has_value();
}

bool take(const Setting&, std::vector<std::string>& place, const std::string& text) {
  const bool adds = text.starts_with("+/"), takes = text.starts_with("-/");
  if (!adds && !takes) return false;
  const auto path = text.substr(1);
  const bool was_there = std::erase(place, path) > 0;
  if (adds) place.push_back(path);
  return adds || was_there;
}

bool take(const Setting&, std::optional<Disc>& place, const std::string& text) {
  place = disc_from(text);
  return place || text.empty();
}

bool take(const Setting&, std::vector<PortForward>& place, const std::string& text) {
  const auto forwards = port_forwards_from(text);
  place = forwards.value_or(place);
  return forwards.has_value();
}

bool take(const Setting&, std::vector<Share>& place, const std::string& text) {
  if (text.empty() || text == "none") return place.clear(), true;
  if (text.starts_with('-'))
    return std::erase_if(place, [tag = text.substr(1)](const Share& share) { return share.tag == tag; }) > 0;
  auto share = share_from(text.starts_with('+') ? text.substr(1) : text);
  if (share) add_share(place, *std::move(share));
  return share.has_value();
}

// To the definition.
template <typename T>
base::Json json_of(const T& value) {
  if constexpr (base::HasWords<T>)
    return word(value);
  else
    return value;
}
base::Json json_of(const std::optional<Nic>& value) { return value ? base::Json(word(*value)) : base::Json(); }
base::Json json_of(const Network& value) { return word(value); }
base::Json json_of(const std::optional<Disc>& value) { return value ? base::Json(word(*value)) : base::Json(); }

template <typename T>
base::Json words_json(const std::vector<T>& values) {
  auto list = base::Json::array();
  for (const auto& value : values) list.push(word(value));
  return list;
}
base::Json json_of(const std::vector<PortForward>& value) { return words_json(value); }
base::Json json_of(const std::vector<Share>& value) { return words_json(value); }

// From the definition, which a person may have edited.
template <base::HasWords T>
void read(const Setting&, const DocumentValue& value, T& place) {
  place = value.word(base::from_word<T>, base::one_of(base::all_words<T>()));
}

void read(const Setting& setting, const DocumentValue& value, std::uint64_t& place) {
  place = value.number(setting.kept_limits.least, setting.kept_limits.most);
}

void read(const Setting& setting, const DocumentValue& value, unsigned& place) {
  place = unsigned(value.number(setting.kept_limits.least, setting.kept_limits.most));
}

void read(const Setting&, const DocumentValue& value, bool& place) { place = value.boolean(); }

void read(const Setting&, const DocumentValue& value, std::string& place) {
  const auto holds = [](std::string_view text) { return text.empty() || is_cpu_model(text); };
  place = value.text_where(holds, "a CPU model, or empty");
}

void read(const Setting& setting, const DocumentValue& value, std::optional<Nic>& place) {
  place = value.optional(
      [&](const DocumentValue& inner) { return inner.word(base::from_word<Nic>, base::one_of(choices_of(setting))); });
}

void read(const Setting& setting, const DocumentValue& value, Network& place) {
  place = value.word(network_from, values_of(setting));
}

void read(const Setting&, const DocumentValue& value, std::vector<std::string>& place) {
  for (const auto& item : value.items()) place.push_back(item.text_where(is_absolute_path, "an absolute path"));
}

void read(const Setting&, const DocumentValue& value, std::optional<Disc>& place) {
  place = value.optional(
      [](const DocumentValue& inner) { return inner.word(disc_from, "an absolute path, with or without \",boot\""); });
}

void read(const Setting&, const DocumentValue& value, std::vector<PortForward>& place) {
  for (const auto& item : value.items()) place.push_back(item.word(port_forward_from, "HOST:GUEST, two TCP ports"));
}

void read(const Setting&, const DocumentValue& value, std::vector<Share>& place) {
  for (const auto& item : value.items()) place.push_back(item.word(share_from, "FOLDER:TAG, with or without \",rw\""));
}

std::string limits_text(const Setting& setting) {
  return fmt::format("from {} to {}", number_text(setting, setting.limits.least),
                     number_text(setting, setting.limits.most));
}

}  // namespace

std::string number_text(const HardwareSetting& setting, std::uint64_t number) {
  const bool is_size = std::holds_alternative<HardwareField<std::uint64_t>>(setting.field);
  return is_size ? base::format_bytes(number) : std::to_string(number);
}

std::vector<std::string> choices_of(const HardwareSetting& setting) {
  return std::visit([](const auto& field) { return words(Hardware{}.*field.kept); }, setting.field);
}

std::string values_of(const HardwareSetting& setting) {
  if (!setting.values.empty()) return std::string(setting.values);
  if (std::holds_alternative<HardwareField<std::uint64_t>>(setting.field))
    return "a size in whole MiB " + limits_text(setting);
  return setting.limits.most > 0 ? limits_text(setting) : base::one_of(choices_of(setting));
}

bool is_switch(const HardwareSetting& setting) { return std::holds_alternative<HardwareField<bool>>(setting.field); }

bool set(const HardwareSetting& setting, Hardware& hardware, const std::string& text) {
  return std::visit([&](const auto& field) { return take(setting, hardware.*field.kept, text); }, setting.field);
}

bool ask(const HardwareSetting& setting, HardwareRequest& request, const std::string& text) {
  if (const auto* cpu = std::get_if<HardwareField<std::string>>(&setting.field)) {
    request.*cpu->asked = text;
    return true;
  }
  const auto take_asked = [&](const auto& field) {
    return field.asked != nullptr && take(setting, (request.*field.asked).emplace(), text);
  };
  return std::visit(take_asked, setting.field);
}

base::Json to_json(const HardwareSetting& setting, const Hardware& hardware) {
  return std::visit([&](const auto& field) { return json_of(hardware.*field.kept); }, setting.field);
}

void read_setting(const HardwareSetting& setting, const DocumentValue& value, Hardware& hardware) {
  std::visit([&](const auto& field) { read(setting, value, hardware.*field.kept); }, setting.field);
}

}  // namespace hrvm::machine
