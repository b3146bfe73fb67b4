/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/unit/unit_tls.h"

#include <stdio.h>
#include <sys/stat.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

EVP_PKEY *
unit_key(unsigned int bits)
{
	EVP_PKEY *key = bits == 0 ? EVP_EC_gen("P-256")
				  : EVP_RSA_gen((size_t)bits);

	assert_non_null(key);
	return key;
}

static void
add_extension(X509 *certificate, int kind, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static X509 *
make(const struct unit_certificate_wish *wish)
{
	static long serial = 1;
	X509 *made = X509_new();
	X509_NAME *name = X509_NAME_new();

	assert_non_null(made);
	X509_set_version(made, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(made), serial++);
	X509_gmtime_adj(X509_getm_notBefore(made), -100L * 86400);
	X509_gmtime_adj(X509_getm_notAfter(made),
	    86400L * wish->days + wish->seconds);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)wish->name, -1, -1, 0);
	X509_set_subject_name(made, name);
	X509_set_issuer_name(made, wish->issuer == NULL ? name
	    : X509_get_subject_name(wish->issuer->certificate));
	X509_NAME_free(name);
	X509_set_pubkey(made, wish->key);
	add_extension(made, NID_basic_constraints,
	    wish->authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (wish->names != NULL)
		add_extension(made, NID_subject_alt_name, wish->names);
	if (wish->signs_ocsp)
		add_extension(made, NID_ext_key_usage, "OCSPSigning");
	if (wish->ocsp != NULL) {
		char access[300];

		snprintf(access, sizeof(access), "OCSP;URI:%s", wish->ocsp);
		add_extension(made, NID_info_access, access);
	}
	assert_true(X509_sign(made, wish->issuer == NULL
	    ? wish->key : wish->issuer->key, EVP_sha256()) > 0);
	return made;
}

static FILE *
create(char *path, size_t size, const char *directory, const char *name,
    const char *ending)
{
	FILE *file;

	snprintf(path, size, "%s/%s.%s", directory, name, ending);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fchmod(fileno(file), 0600), 0);
	return file;
}

void
unit_certificate_make(const char *directory,
    const struct unit_certificate_wish *wish, struct unit_certificate *out)
{
	uint8_t *space;
	FILE *file;

	out->certificate = make(wish);
	EVP_PKEY_up_ref(wish->key);
	out->key = wish->key;
	out->der = buffer_make(10000);
	space = buffer_extend(&out->der,
	    (size_t)i2d_X509(out->certificate, NULL));
	i2d_X509(out->certificate, &space);
	file = create(out->certificate_path, sizeof(out->certificate_path),
	    directory, wish->name, "crt");
	assert_int_equal(PEM_write_X509(file, out->certificate), 1);
	/* The chain follows, as it does in a server's file. */
	if (wish->issuer != NULL)
		assert_int_equal(PEM_write_X509(file,
		    wish->issuer->certificate), 1);
	fclose(file);
	file = create(out->key_path, sizeof(out->key_path), directory,
	    wish->name, "key");
	assert_int_equal(PEM_write_PrivateKey(file, out->key, NULL, NULL, 0,
	    NULL, NULL), 1);
	fclose(file);
}

void
unit_certificate_free(struct unit_certificate *certificate)
{
	X509_free(certificate->certificate);
	EVP_PKEY_free(certificate->key);
	buffer_free(&certificate->der);
}
