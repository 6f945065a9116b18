// This process's terminal joined to a socket.
#pragma once

#include "hrvm/sys/socket.hpp"

namespace hrvm::sys {

enum class AttachEnd {
  escaped,    // by the key
  peer_gone,  // the other end closed it
};

// What is typed goes to the socket, what comes from it to stdout, until one of them ends. A terminal is raw meanwhile,
// so that every key reaches the other end but `escape`, and is as before afterwards, also after a signal:
// Error{interrupted}. The end of an input that is no terminal ends nothing.
AttachEnd attach(UnixSocket& socket, char escape);

}  // namespace hrvm::sys
