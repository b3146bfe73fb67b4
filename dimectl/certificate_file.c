/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/file.h"
#include "dimectl/certificate_file.h"

enum { FILE_LIMIT = 1 << 20 };

/* A DER certificate that fills `data`, or the first one of PEM text. */
static X509 *
decode(struct span data)
{
	const unsigned char *at = data.data;
	X509 *certificate;
	BIO *bio;

	if (data.length == 0)
		return NULL;
	certificate = d2i_X509(NULL, &at, (long)data.length);
	if (certificate != NULL && at == data.data + data.length)
		return certificate;
	X509_free(certificate);
	bio = BIO_new_mem_buf(data.data, (int)data.length);
	if (bio == NULL)
		return NULL;
	certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	return certificate;
}

int
certificate_file_read(const char *path, struct buffer *out,
    struct fault *fault)
{
	struct buffer data = buffer_make(FILE_LIMIT);
	unsigned char *der = NULL;
	X509 *certificate = NULL;
	int err, length;

	if ((err = file_read(path, &data, fault)) != 0)
		goto out;
	certificate = decode(buffer_span(&data));
	length = certificate == NULL ? -1 : i2d_X509(certificate, &der);
	if (length <= 0) {
		err = fault_set(fault, ERR_FORMAT,
		    "%s: holds no certificate in PEM or DER", path);
		goto out;
	}
	buffer_append(out, der, (size_t)length);
	if (out->error != 0)
		err = fault_set(fault, out->error, "%s: %s", path,
		    error_row(out->error)->text);
out:
	OPENSSL_free(der);
	X509_free(certificate);
	buffer_free(&data);
	return err;
}
