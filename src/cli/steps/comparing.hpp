// What differs between two disks, or two states of one: read in a confined child while nothing is mounted.
#pragma once

#include "cli/steps/open_source.hpp"
#include "cli/views/diff_view.hpp"

namespace hrvm::cli {

struct ComparisonWishes {
  bool files = true, blocks = false, packages = false;
};

// Of sources that have disks: their first ones, with what lies on these with the help of the others. Says how far it
// is. Error{corrupt} where the child dies.
Compared compare_sources(const Context& context, const Source& from, const Source& to, const ComparisonWishes& wishes);

}  // namespace hrvm::cli
