// Which entry of a menu GRUB would start.
#include <cstddef>

#include "hrvm/base/text.hpp"
#include "probe/boot/grub_cfg.hpp"

namespace hrvm::probe {
namespace {

using Items = std::vector<GrubItem>;

const GrubItem* match(const Items& items, std::string_view selector) {
  if (const auto number = base::parse_unsigned(selector)) return *number < items.size() ? &items[*number] : nullptr;
  for (const GrubItem& item : items)
    if (!selector.empty() && (item.entry.id == selector || item.entry.title == selector)) return &item;
  return nullptr;
}

// Down through submenus. Within one, what is chosen wrongly, or not at all, leaves its first item.
const BootEntry* choose(const Items& items, std::string_view selector) {
  const Items* level = &items;
  for (;;) {
    const auto cut = selector.find('>');
    const GrubItem* item = match(*level, selector.substr(0, cut));
    if (item == nullptr && level != &items && !level->empty()) item = &level->front();
    if (item == nullptr || item->kind != GrubItem::Kind::submenu) return item ? &item->entry : nullptr;
    level = &item->items;
    selector = cut == std::string_view::npos ? std::string_view() : selector.substr(cut + 1);
  }
}

void collect(const Items& items, const BootEntry* chosen, std::vector<BootEntry>& entries) {
  for (const GrubItem& item : items) {
    if (item.kind == GrubItem::Kind::submenu) collect(item.items, chosen, entries);
    if (item.kind != GrubItem::Kind::entry) continue;
    entries.push_back(item.entry);
    entries.back().is_default = &item.entry == chosen;
  }
}

}  // namespace

std::vector<BootEntry> flatten(const Items& items, std::string_view selector) {
  const BootEntry* chosen = choose(items, selector);
  std::vector<BootEntry> entries;
  collect(items, chosen ? chosen : choose(items, "0"), entries);
  return entries;
}

}  // namespace hrvm::probe
