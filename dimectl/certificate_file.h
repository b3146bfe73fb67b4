/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIMECTL_CERTIFICATE_FILE_H
#define DIME_DIMECTL_CERTIFICATE_FILE_H

#include "base/buffer.h"
#include "base/error.h"

/* Appends the DER of the certificate in the file at `path`: the first one of a
 * PEM file, or the file itself when it is DER. ERR_FORMAT when it is
 * neither. */
int certificate_file_read(const char *path, struct buffer *out,
    struct fault *fault);

#endif
