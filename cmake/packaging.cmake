# What an installation holds, and packages of it: `cpack -G DEB` and `cpack -G TGZ` in a build folder.
include(GNUInstallDirs)
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)  # packages need no tests built

install(TARGETS intaglio RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY configs/ DESTINATION share/intaglio/configs)

# The program knows its options; the manual page and the scripts for shells are what it prints.
set(printed ${CMAKE_BINARY_DIR}/printed)
file(MAKE_DIRECTORY ${printed})
add_custom_command(TARGET intaglio POST_BUILD
                   COMMAND intaglio --man > ${printed}/intaglio.1
                   COMMAND gzip -9nc ${printed}/intaglio.1 > ${printed}/intaglio.1.gz
                   COMMAND intaglio completion bash > ${printed}/intaglio
                   COMMAND intaglio completion zsh > ${printed}/_intaglio
                   COMMAND intaglio completion fish > ${printed}/intaglio.fish
                   VERBATIM)
# Packages of distributions put zsh's elsewhere.
set(INTAGLIO_ZSH_DIR share/zsh/site-functions CACHE STRING "Where zsh looks for completions, below the prefix")
install(FILES ${printed}/intaglio.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${printed}/intaglio DESTINATION share/bash-completion/completions)
install(FILES ${printed}/_intaglio DESTINATION ${INTAGLIO_ZSH_DIR})
install(FILES ${printed}/intaglio.fish DESTINATION share/fish/vendor_completions.d)
install(FILES LICENSE DESTINATION share/doc/intaglio RENAME copyright)

set(CPACK_PACKAGE_NAME intaglio)
set(CPACK_PACKAGE_VENDOR "The Intaglio project")
set(CPACK_PACKAGE_CONTACT "The Intaglio project <intaglio@example.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_FILE_NAME intaglio-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_STRIP_FILES ON)
set(CPACK_GENERATOR DEB TGZ)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "Runs a float model on its own executor over sample data, measures what every value needs, and writes an INT8\n\
model that ONNX runtimes load, or a TFLite file, with a report that says what became of every node and value.")
include(CPack)
