# Packages: cpack makes a .deb and a .tar.gz that install under /usr. The program finds its cards, platforms
# and grammars beside itself (share/millrace). Equal sources give equal packages, in whatever folder and at
# whatever time they are built: every file gets the date of the last entry of cmake/debian/changelog, or
# SOURCE_DATE_EPOCH.
find_program(MR_GZIP gzip)
set(mr_pages "${CMAKE_BINARY_DIR}/pages")
add_custom_command(OUTPUT "${CMAKE_BINARY_DIR}/pages.stamp"
    COMMAND ${CMAKE_COMMAND} -DMILLRACE=$<TARGET_FILE:millrace> "-DOUT=${mr_pages}"
        "-DGZIP=$<$<BOOL:${MR_GZIP}>:${MR_GZIP}>" -P "${CMAKE_SOURCE_DIR}/cmake/write_pages.cmake"
    COMMAND ${CMAKE_COMMAND} -E touch "${CMAKE_BINARY_DIR}/pages.stamp"
    DEPENDS millrace "${CMAKE_SOURCE_DIR}/cmake/write_pages.cmake" VERBATIM)
add_custom_target(pages ALL DEPENDS "${CMAKE_BINARY_DIR}/pages.stamp")
install(DIRECTORY "${mr_pages}/" DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 FILES_MATCHING REGEX "\\.1(\\.gz)?$")
install(DIRECTORY "${mr_pages}/" DESTINATION ${CMAKE_INSTALL_MANDIR}/man5 FILES_MATCHING REGEX "\\.5(\\.gz)?$")
install(DIRECTORY "${mr_pages}/" DESTINATION ${CMAKE_INSTALL_DATADIR}/millrace/schema FILES_MATCHING PATTERN "*.rng")
install(FILES "${mr_pages}/millrace.bash" RENAME millrace
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)

install(FILES README.md CITATION.cff DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES cmake/debian/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
file(STRINGS cmake/debian/changelog mr_changes LIMIT_COUNT 1)
if(NOT mr_changes MATCHES "^millrace \\(${PROJECT_VERSION}\\) ")
    message(FATAL_ERROR "cmake/debian/changelog begins with \"${mr_changes}\", the version is ${PROJECT_VERSION}")
endif()
configure_file(cmake/debian/changelog "${CMAKE_BINARY_DIR}/changelog" COPYONLY)
if(MR_GZIP)
    execute_process(COMMAND ${MR_GZIP} -9nf "${CMAKE_BINARY_DIR}/changelog" COMMAND_ERROR_IS_FATAL ANY)
    install(FILES "${CMAKE_BINARY_DIR}/changelog.gz" DESTINATION ${CMAKE_INSTALL_DOCDIR})
else()
    install(FILES "${CMAKE_BINARY_DIR}/changelog" DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()
install(DIRECTORY experiments/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples
    FILES_MATCHING PATTERN "*.scenario.xml" PATTERN "*.layout.xml" PATTERN "*.experiment.xml"
    PATTERN "*.tolerance.xml" PATTERN "grid/*.csv" PATTERN "first-day*.sh"
    PATTERN "schema" EXCLUDE PATTERN "slurm" EXCLUDE)

file(STRINGS cmake/debian/changelog mr_signed REGEX "^ -- ")
list(GET mr_signed 0 mr_signed)
string(REGEX REPLACE "^ -- (.*)  (.*)$" "\\1" mr_maintainer "${mr_signed}")
string(REGEX REPLACE "^ -- (.*)  (.*)$" "\\2" mr_package_date "${mr_signed}")
execute_process(COMMAND date -d "${mr_package_date}" +%s OUTPUT_VARIABLE mr_package_epoch
    OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
set(CPACK_GENERATOR "DEB;TGZ")
set(CPACK_PACKAGE_NAME millrace)
set(CPACK_PACKAGE_VENDOR "Millrace")
set(CPACK_PACKAGE_CONTACT "${mr_maintainer}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "digital twin of an AI factory, from token to turbine")
set(CPACK_RESOURCE_FILE_LICENSE "${CMAKE_SOURCE_DIR}/LICENSE")
set(CPACK_PACKAGING_INSTALL_PREFIX "/usr")
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "Millrace plays a site of racks, links, coolant loops and power feeds, serving\nlanguage-model agents replayed from traces, through one clock, and tells tokens\nper second, latencies, megawatts, temperatures and revenue, request by request.")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
string(REGEX REPLACE "^(lib.*)\\.so\\.(.*)$" "\\1\\2" CPACK_DEBIAN_PACKAGE_DEPENDS "${MR_SIMGRID_SONAME}") # loaded when needed
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "slurm-client")
set(CPACK_PRE_BUILD_SCRIPTS "${CMAKE_BINARY_DIR}/package_date.cmake")
file(READ cmake/package_date.cmake.in mr_script)
string(REPLACE "@mr_package_epoch@" "${mr_package_epoch}" mr_script "${mr_script}")
file(WRITE "${CMAKE_BINARY_DIR}/package_date.cmake" "${mr_script}")
include(CPack)
