# Compiler flags of every target, as the interface library mr_flags, and the proof that the compiler
# keeps a*b+c as two roundings.
add_library(mr_flags INTERFACE)
target_include_directories(mr_flags INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_definitions(mr_flags INTERFACE _POSIX_C_SOURCE=200809L)

set(mr_warnings
    -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    -Wold-style-definition -Wpointer-arith -Wcast-align -Wcast-qual -Wwrite-strings -Wundef -Wvla
    -Wformat=2 -Wnull-dereference -Wdouble-promotion -Wconversion -Wfloat-conversion
    -Wimplicit-fallthrough -Wswitch-enum -Wredundant-decls)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(APPEND mr_warnings -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init)
endif()
if(MR_WERROR)
    list(APPEND mr_warnings -Werror)
endif()
target_compile_options(mr_flags INTERFACE ${mr_warnings}
    -ffp-contract=off -fno-common -fvisibility=hidden
    "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/="      # no path of the building machine in the binary:
    "-ffile-prefix-map=${CMAKE_BINARY_DIR}=build") # the same bits wherever it is built
target_link_libraries(mr_flags INTERFACE m)

if(MR_NATIVE)
    target_compile_options(mr_flags INTERFACE -march=native)
endif()
if(MR_TORTURE)
    target_compile_definitions(mr_flags INTERFACE MR_TORTURE=1)
endif()
if(MR_SANITIZE)
    target_compile_options(mr_flags INTERFACE
        -fsanitize=${MR_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(mr_flags INTERFACE -fsanitize=${MR_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(mr_flags INTERFACE -D_FORTIFY_SOURCE=2 -fstack-protector-strong)
    target_link_options(mr_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
if(MR_COVERAGE)
    target_compile_options(mr_flags INTERFACE --coverage)
    target_link_options(mr_flags INTERFACE --coverage)
endif()
if(MR_FUZZ)
    target_compile_options(mr_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# Same bits on every machine needs unfused multiply-add: (1+e)(1-e) - 1 is 0 when the product is
# rounded and -e*e when it is fused.
if(NOT DEFINED MR_UNFUSED)
    set(fused_c "${CMAKE_BINARY_DIR}/CMakeFiles/unfused.c")
    file(WRITE "${fused_c}" "
        int main(int argc, char **argv)
        {
            volatile double one = 1.0, e = 0x1p-40;
            const double a = one + e, b = one - e, c = -one;
            (void)argv;
            return argc > 0 && a * b + c != 0.0;
        }")
    set(native_flag "")
    if(MR_NATIVE)
        set(native_flag "-march=native")
    endif()
    try_run(MR_UNFUSED_EXIT MR_UNFUSED_COMPILES "${CMAKE_BINARY_DIR}/CMakeFiles" "${fused_c}"
        COMPILE_DEFINITIONS -O2 -ffp-contract=off ${native_flag})
    if(NOT MR_UNFUSED_COMPILES OR NOT MR_UNFUSED_EXIT EQUAL 0)
        message(FATAL_ERROR "the compiler fuses a*b+c in spite of -ffp-contract=off: results would "
            "differ between machines")
    endif()
    set(MR_UNFUSED ON CACHE INTERNAL "a*b+c keeps two roundings")
endif()
