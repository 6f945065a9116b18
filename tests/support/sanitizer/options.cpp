// What a sanitized program starts with; ASAN_OPTIONS adds to it.
extern "C" const char* __asan_default_options();

// Undefined behaviour ends in a trap: say where.
extern "C" const char* __asan_default_options() { return "handle_sigill=1"; }
