# The libraries we stand on, each pinned to the flavor we need.
find_package(PkgConfig REQUIRED)
find_package(LibXml2 2.9 REQUIRED)
find_package(ZLIB 1.2 REQUIRED)
pkg_check_modules(SIMGRID REQUIRED IMPORTED_TARGET simgrid>=3.32)

# SimGrid is loaded at run time (engine/net/simgrid.c), by the name that carries its version.
find_library(mr_simgrid_library NAMES simgrid HINTS ${SIMGRID_LIBRARY_DIRS} NO_CACHE REQUIRED)
file(REAL_PATH "${mr_simgrid_library}" mr_simgrid_library)
get_filename_component(MR_SIMGRID_SONAME "${mr_simgrid_library}" NAME)

# "hdf5" alone switches to OpenMPI's HDF5 as soon as that package is installed.
pkg_check_modules(HDF5 REQUIRED IMPORTED_TARGET hdf5-serial>=1.10.7)
include(CheckCSourceCompiles)
set(CMAKE_REQUIRED_INCLUDES ${HDF5_INCLUDE_DIRS})
check_c_source_compiles("
    #include <hdf5.h>
    #ifdef H5_HAVE_PARALLEL
    #error parallel
    #endif
    int main(void) { return 0; }" MR_HDF5_IS_SERIAL)
unset(CMAKE_REQUIRED_INCLUDES)
if(NOT MR_HDF5_IS_SERIAL)
    message(FATAL_ERROR "hdf5-serial resolves to a parallel HDF5: install libhdf5-dev (serial)")
endif()

# Dimension scales are in the high-level library, which has no pkg-config file of its own.
find_library(MR_HDF5_HL_LIBRARY NAMES hdf5_serial_hl hdf5_hl
    HINTS ${HDF5_LIBRARY_DIRS} NO_DEFAULT_PATH)
if(NOT MR_HDF5_HL_LIBRARY)
    message(FATAL_ERROR "no high-level HDF5 (hdf5_hl) beside hdf5-serial: install libhdf5-dev")
endif()
add_library(mr_hdf5_hl INTERFACE)
target_link_libraries(mr_hdf5_hl INTERFACE "${MR_HDF5_HL_LIBRARY}")

# The recorder writes in a thread of its own.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

set(MR_HAVE_MPI OFF)
if(MR_MPI)
    find_package(MPI COMPONENTS C)
    if(MPI_C_FOUND)
        set(MR_HAVE_MPI ON)
    else()
        message(STATUS "MPI not found: runs use one rank")
    endif()
endif()
