// One call of virsh.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "hrvm/sys/host.hpp"
#include "hrvm/sys/runner.hpp"

namespace hrvm::launch {

// virsh's words to libvirt at this URI, from the program's path on. Error{not_found} where it is not installed.
sys::Command virsh_command(const sys::Host& host, const std::string& uri, std::vector<std::string> words);

// What it said, whatever its exit status. Error{external} when libvirt is out of reach or does not answer in time.
sys::Result ask_virsh(const sys::Host& host, const std::string& uri, std::vector<std::string> words,
                      std::chrono::milliseconds limit);

// What it complained of, on one line and without "error: ".
std::string complaint(const sys::Result& result);

// Its output. Error{external} with its words when it fails.
std::string order_virsh(const sys::Host& host, const std::string& uri, std::vector<std::string> words,
                        std::chrono::milliseconds limit);

}  // namespace hrvm::launch
