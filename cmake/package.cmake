# Packages: cpack makes a .deb and a .tar.gz that install under /usr. The program finds its cards, platforms
# and grammars beside itself (share/millrace). Manual page and completion are printed by the program.
add_custom_command(OUTPUT "${CMAKE_BINARY_DIR}/millrace.bash"
    COMMAND millrace help --completion > "${CMAKE_BINARY_DIR}/millrace.bash"
    DEPENDS millrace VERBATIM)
add_custom_target(completion ALL DEPENDS "${CMAKE_BINARY_DIR}/millrace.bash")
install(FILES "${CMAKE_BINARY_DIR}/millrace.bash" RENAME millrace
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES LICENSE RENAME copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY experiments/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples
    FILES_MATCHING PATTERN "*.scenario.xml" PATTERN "*.layout.xml" PATTERN "*.experiment.xml"
    PATTERN "*.tolerance.xml" PATTERN "grid/*.csv"
    PATTERN "schema" EXCLUDE PATTERN "slurm" EXCLUDE)

set(CPACK_GENERATOR "DEB;TGZ")
set(CPACK_PACKAGE_NAME millrace)
set(CPACK_PACKAGE_VENDOR "Millrace")
set(CPACK_PACKAGE_CONTACT "Millrace maintainers")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE "${CMAKE_SOURCE_DIR}/LICENSE")
set(CPACK_PACKAGING_INSTALL_PREFIX "/usr")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
include(CPack)
