// hrvm image map FILE: which image of a chain stores each piece of the disk. It is printed while it is read, as it can
// be longer than memory.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <span>
#include <string_view>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/confined_map.hpp"
#include "cli/words/image_words.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using image::ImageMap;
using image::MapExtent;
using Buffer = fmt::memory_buffer;

// How a map is written: what comes before, for each extent, and behind.
class Writer {
 public:
  explicit Writer(const ConfinedMap& map) : map_(map) {}
  virtual ~Writer() = default;
  virtual std::string head() const { return ""; }
  virtual void add(Buffer& text, const MapExtent& extent) = 0;
  virtual std::string tail() const { return ""; }

 protected:
  const std::vector<ImageMap::Layer>& layers() const { return map_.layers(); }
  const ConfinedMap& map() const { return map_; }

 private:
  const ConfinedMap& map_;
};

// A format that is read anew for each of a million extents would take most of the time.
void append(Buffer& text, std::string_view more) { text.append(more.data(), more.data() + more.size()); }
void append(Buffer& text, std::uint64_t number) {
  const fmt::format_int digits(number);
  text.append(digits.data(), digits.data() + digits.size());
}
template <typename... Parts>
void print(Buffer& text, const Parts&... parts) {
  (append(text, parts), ...);
}

class PlainWriter : public Writer {
 public:
  using Writer::Writer;
  void add(Buffer& text, const MapExtent& extent) override {
    print(text, extent.offset, "\t", extent.length, "\t", word(extent.kind), "\t", extent.layer, "\t");
    if (extent.host_offset) append(text, *extent.host_offset);
    append(text, "\n");
  }
};

class JsonWriter : public Writer {
 public:
  using Writer::Writer;
  std::string head() const override {
    Json data, list = Json::array();
    for (const auto& layer : layers()) list.push(Json().set("path", layer.path).set("format", word(layer.format)));
    data.set("schema", "hrvm.image-map/1").set("path", layers().front().path);
    data.set("virtual_bytes", map().virtual_bytes()).set("layers", list);
    auto text = base::to_text(data);
    text.resize(text.rfind('\n'));  // the object goes on
    return text + ",\n  \"extents\": [";
  }
  void add(Buffer& text, const MapExtent& extent) override {
    print(text, separator_, "\n    {\"start_bytes\": ", extent.offset, ", \"size_bytes\": ", extent.length,
          ", \"kind\": \"", word(extent.kind), "\", \"layer\": ", extent.layer, ", \"offset_bytes\": ");
    if (extent.host_offset)
      append(text, *extent.host_offset);
    else
      append(text, "null");
    append(text, "}");
    separator_ = ",";
  }
  std::string tail() const override { return separator_.empty() ? "]\n}\n" : "\n  ]\n}\n"; }

 private:
  std::string_view separator_;
};

class HumanWriter : public Writer {
 public:
  explicit HumanWriter(const ConfinedMap& map) : Writer(map), width_(std::to_string(map.virtual_bytes()).size()) {
    width_ = std::max<std::size_t>(width_, 5);
  }
  std::string head() const override {
    std::string text;
    for (std::size_t i = 0; i < layers().size(); ++i) {
      const auto& layer = layers()[i];
      text += fmt::format("Layer {}: {} ({})\n", i, base::printable(layer.path), word(layer.format));
    }
    return text + fmt::format("\n{:>{}}  {:>{}}  KIND  LAYER  {:>{}}\n", "START", width_, "SIZE", width_, "AT", width_);
  }
  void add(Buffer& text, const MapExtent& extent) override {
    const auto back = std::back_inserter(text);
    fmt::format_to(back, "{:>{}}  {:>{}}  {}  {:>5}", extent.offset, width_, extent.length, width_, word(extent.kind),
                   extent.layer);
    if (extent.host_offset) fmt::format_to(back, "  {:>{}}", *extent.host_offset, width_);
    append(text, "\n");
  }

 private:
  std::size_t width_;
};

std::unique_ptr<Writer> make_writer(Rendering rendering, const ConfinedMap& map) {
  switch (rendering) {
    case Rendering::plain:
      return std::make_unique<PlainWriter>(map);
    case Rendering::json:
      return std::make_unique<JsonWriter>(map);
    case Rendering::human:
      break;
  }
  return std::make_unique<HumanWriter>(map);
}

Outcome run_image_map(const Context& context) {
  ConfinedMap map(image_file(context.arguments), image_format(context.arguments));
  const auto writer = make_writer(context.rendering, map);
  auto& out = context.host.streams.out;
  Buffer text;
  const auto flush = [&] {
    write_out(out, {text.data(), text.size()});
    text.clear();
  };
  append(text, writer->head());  // kept back until something could be read
  const auto add = [&](std::span<const MapExtent> extents) {
    for (const auto& extent : extents) writer->add(text, extent);
  };
  map.visit(add, flush);
  append(text, writer->tail());
  flush();
  return {};
}

}  // namespace

const Command image_map_command = {
    .name = "image map",
    .summary = "tell which image of a chain stores each piece of the disk",
    .options = {image_format_option()},
    .positionals = {{"FILE", "an image, or a disk", Completes::source}},
    .run = run_image_map,
};

}  // namespace hrvm::cli
