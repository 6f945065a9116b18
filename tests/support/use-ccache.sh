# Sourced, in the top folder, before a build: compiles through ccache where there is one. It has to be told that precompiled
# headers do not hinder it, and that the place of the tree does not matter.
if command -v ccache > /dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}
  export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$PWD}
fi
