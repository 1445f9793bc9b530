# Language and warnings, the same for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set_property(GLOBAL PROPERTY USE_FOLDERS ON)

option(INTAGLIO_TESTS "Build the tests" ON)
option(INTAGLIO_PACKAGED "For a package: configs are looked up beside the program alone" OFF)
option(INTAGLIO_WERROR "Treat warnings as errors" OFF)
set(INTAGLIO_SANITIZE "" CACHE STRING "Sanitizers: 'address,undefined' or 'thread'")

add_library(intaglio_settings INTERFACE)
target_include_directories(intaglio_settings INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(intaglio_settings INTERFACE -Wall -Wextra -Wno-psabi -Wshadow -Wnon-virtual-dtor
                                                   -Woverloaded-virtual)
target_compile_definitions(intaglio_settings INTERFACE INTAGLIO_VERSION="${PROJECT_VERSION}")
if(INTAGLIO_WERROR)
  target_compile_options(intaglio_settings INTERFACE -Werror)
endif()
if(INTAGLIO_SANITIZE)
  # The address sanitizer finds what null and object-size would; they double the time to compile.
  target_compile_options(intaglio_settings INTERFACE -fsanitize=${INTAGLIO_SANITIZE}
                                                     -fno-sanitize=null,object-size,vptr
                                                     -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(intaglio_settings INTERFACE -fsanitize=${INTAGLIO_SANITIZE})
endif()

# Programs of libFuzzer, for clang: everything that they try counts its branches.
option(INTAGLIO_FUZZ "Build the fuzz targets" OFF)
if(INTAGLIO_FUZZ)
  target_compile_options(intaglio_settings INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(intaglio_settings INTERFACE -fsanitize=fuzzer-no-link)
endif()

# What ccache needs to know of precompiled headers: it hashes what went into them.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
  add_compile_options(-fpch-preprocess)
endif()
