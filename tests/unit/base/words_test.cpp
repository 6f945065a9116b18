#include "hrvm/base/words.hpp"

#include <catch2/catch.hpp>

namespace hrvm::base {
namespace {

enum class Colour { red, green, blue };
constexpr std::array<std::string_view, 3> words_of(Colour) { return {"red", "green", "blue"}; }

}  // namespace

TEST_CASE("each value of a closed set has its word, and each word its value") {
  for (const auto colour : {Colour::red, Colour::green, Colour::blue}) CHECK(from_word<Colour>(word(colour)) == colour);
  CHECK(word(Colour::green) == "green");
  CHECK_FALSE(from_word<Colour>("pink"));
  CHECK_FALSE(from_word<Colour>(""));
  CHECK(all_words<Colour>() == std::vector<std::string>{"red", "green", "blue"});
}

TEST_CASE("a choice of words is told as a sentence has it") {
  CHECK(one_of({"virtio", "sata", "ide"}) == "virtio, sata or ide");
  CHECK(one_of({"on", "off"}) == "on or off");
  CHECK(one_of({"raw"}) == "raw");
  CHECK(one_of({}).empty());
}

}  // namespace hrvm::base
