# What an installation holds: the program, configs, the manual page, and completion for shells.
include(GNUInstallDirs)

install(TARGETS intaglio RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY configs/ DESTINATION share/intaglio/configs)

# The program knows its options; the page and the scripts are what it prints.
set(printed ${CMAKE_BINARY_DIR}/printed)
file(MAKE_DIRECTORY ${printed})
add_custom_command(TARGET intaglio POST_BUILD
                   COMMAND intaglio --man > ${printed}/intaglio.1
                   COMMAND intaglio completion bash > ${printed}/intaglio
                   COMMAND intaglio completion zsh > ${printed}/_intaglio
                   COMMAND intaglio completion fish > ${printed}/intaglio.fish
                   VERBATIM)
# Packages of distributions put zsh's elsewhere.
set(INTAGLIO_ZSH_DIR share/zsh/site-functions CACHE STRING "Where zsh looks for completions, below the prefix")
install(FILES ${printed}/intaglio.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${printed}/intaglio DESTINATION share/bash-completion/completions)
install(FILES ${printed}/_intaglio DESTINATION ${INTAGLIO_ZSH_DIR})
install(FILES ${printed}/intaglio.fish DESTINATION share/fish/vendor_completions.d)
