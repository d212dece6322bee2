# The manual page and the completions, made by the program from its own table
# of commands each time it is linked. Included where kexue_program is defined.
set(kexue_pages ${PROJECT_BINARY_DIR}/pages)
file(MAKE_DIRECTORY ${kexue_pages})
add_custom_command(TARGET kexue_program POST_BUILD
  COMMAND kexue_program man > ${kexue_pages}/kexue.1
  COMMAND kexue_program completion bash > ${kexue_pages}/kexue.bash
  COMMAND kexue_program completion zsh > ${kexue_pages}/kexue.zsh
  COMMAND kexue_program completion fish > ${kexue_pages}/kexue.fish
  COMMENT "Manual page and completions")
