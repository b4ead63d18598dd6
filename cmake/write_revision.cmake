# Script of the target mr_revision (cmake/revision.cmake).
execute_process(COMMAND git -C "${SOURCE}" rev-parse HEAD
    OUTPUT_VARIABLE hash OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
set(dirty 0)
if(failed)
    set(hash "unknown")
else()
    execute_process(COMMAND git -C "${SOURCE}" status --porcelain --untracked-files=no
        OUTPUT_VARIABLE changes ERROR_QUIET)
    if(changes)
        set(dirty 1)
    endif()
endif()
string(STRIP "${FLAGS}" FLAGS)
set(text "/* written by cmake/write_revision.cmake */
#define MR_VERSION \"${VERSION}\"
#define MR_GIT_HASH \"${hash}\"
#define MR_GIT_DIRTY ${dirty}
#define MR_COMPILER \"${COMPILER}\"
#define MR_FLAGS \"${FLAGS}\"
#define MR_BUILD_PRESET \"${PRESET}\"
")
set(old "")
if(EXISTS "${OUT}")
    file(READ "${OUT}" old)
endif()
if(NOT old STREQUAL text)
    file(WRITE "${OUT}" "${text}")
endif()
