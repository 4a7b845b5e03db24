#include <cstdio>
#include <exception>

#include "app/cli/context.hpp"

int main(int argc, char** argv) {
  try {
    return postern::cli::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "postern: %s\n", error.what());
    return 1;
  }
}
