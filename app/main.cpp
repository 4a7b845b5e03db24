#include "app/cli/context.hpp"

int main(int argc, char** argv) { return postern::cli::run(argc, argv); }
