#include "hrvm/image/check.hpp"

#include "unit/image/damage.hpp"

namespace hrvm::image::test {

TEST_CASE("sound images of every kind are found sound, with the numbers of qemu-img") {
  const auto kind = GENERATE(range(std::size_t(0), kinds.size()));
  Random random(kind + 40);
  Folder folder;
  const auto image = folder / "image";
  CAPTURE(kind);
  make_random(image, kinds[kind], random, 6 * base::MiB);
  const auto expected = theirs(image);
  REQUIRE(expected.corruptions + expected.leaks + expected.errors == 0);
  CHECK(ours(image) == expected);
}

TEST_CASE("damaged images are counted as qemu-img counts them") {
  const auto seed = GENERATE(range(0, 39));
  Random random(std::uint64_t(seed) + 3000);
  Folder folder;
  const auto image = folder / "image";
  CAPTURE(seed);
  make_random(image, kinds[std::size_t(seed) % kinds.size()], random, 4 * base::MiB);
  for (auto times = 1 + below(random, 4); times-- > 0;) damage(image, random);
  CHECK(ours(image) == theirs(image));
}

}  // namespace hrvm::image::test
