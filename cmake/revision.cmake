# build/PRESET/generated/revision.h: version, git revision, compiler and flags. Rewritten at every
# build, touched only when it changes, so that `millrace version` never lies after a commit.
set(MR_GENERATED_DIR "${CMAKE_BINARY_DIR}/generated")
string(TOUPPER "${CMAKE_BUILD_TYPE}" mr_type)
get_target_property(mr_flag_list mr_flags INTERFACE_COMPILE_OPTIONS)
list(FILTER mr_flag_list EXCLUDE REGEX "^-W|^-ffile-prefix-map") # nor paths of this machine
list(JOIN mr_flag_list " " mr_flag_text)
add_custom_target(mr_revision
    COMMAND ${CMAKE_COMMAND}
        -DOUT=${MR_GENERATED_DIR}/revision.h -DSOURCE=${CMAKE_SOURCE_DIR}
        -DVERSION=${PROJECT_VERSION} -DPRESET=${MR_PRESET}
        "-DCOMPILER=${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION}"
        "-DFLAGS=${CMAKE_C_FLAGS_${mr_type}} ${mr_flag_text}"
        -P ${CMAKE_SOURCE_DIR}/cmake/write_revision.cmake
    BYPRODUCTS ${MR_GENERATED_DIR}/revision.h
    VERBATIM)
