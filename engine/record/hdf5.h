/* SPDX-License-Identifier: Apache-2.0 */
/* The HDF5 library in use. */
#ifndef MR_ENGINE_RECORD_HDF5_H
#define MR_ENGINE_RECORD_HDF5_H

enum {
    MR_HDF5_VERSION_CAP = 48
};

/** "1.10.8", asked from the library at run time; "unknown" when it does not answer. @return out */
const char *mr_hdf5_version(char out[MR_HDF5_VERSION_CAP]);

#endif
