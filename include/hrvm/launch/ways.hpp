// What became of an order to a machine that runs: the same for QEMU as hrvm started it and for a domain of libvirt.
#pragma once

namespace hrvm::launch {

enum class StopWay { powered_down, quit };
enum class RestartWay { powered_down, reset };

}  // namespace hrvm::launch
