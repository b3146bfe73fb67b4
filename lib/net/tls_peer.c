/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "net/tls_context.h"

/* ---- names and chains ---- */

bool
tls_certificate_has_name(X509 *certificate, const char *name)
{
	return X509_check_host(certificate, name, 0,
	           X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

bool
tls_peer_has_name(const struct tls_peer *peer, const char *name)
{
	bool has = peer->chain != NULL &&
	    tls_certificate_has_name(peer->chain->own, name);

	ERR_clear_error();
	return has;
}

static void
forget_verdict(struct tls_peer *peer)
{
	peer->chain_valid = false;
	sk_X509_pop_free(peer->chain->verified, X509_free);
	peer->chain->verified = NULL;
}

/* As a handshake would have it, with what it would ask of a server's. */
static bool
verify_with(X509_STORE_CTX *work, struct tls_chain *chain)
{
	X509_VERIFY_PARAM *wanted;

	if (X509_STORE_CTX_init(work, chain->authorities, chain->own,
	        chain->sent) != 1 ||
	    X509_STORE_CTX_set_default(work, "ssl_server") != 1)
		return false;
	wanted = X509_STORE_CTX_get0_param(work);
	X509_VERIFY_PARAM_set_auth_level(wanted, chain->security_level);
	return X509_verify_cert(work) == 1;
}

int
tls_peer_verify(struct tls_peer *peer, struct tls_context *context)
{
	struct tls_chain *chain = peer->chain;
	X509_STORE_CTX *work = X509_STORE_CTX_new();

	forget_verdict(peer);
	if (work == NULL)
		return ERR_MEMORY;
	X509_STORE_free(chain->authorities);
	chain->authorities = tls_context_authorities(context,
	    &chain->security_level);
	peer->chain_valid = verify_with(work, chain);
	if (peer->chain_valid)
		chain->verified = X509_STORE_CTX_get1_chain(work);
	X509_STORE_CTX_free(work);
	ERR_clear_error();
	return peer->chain_valid && chain->verified == NULL ? ERR_MEMORY : 0;
}

/* ---- what a handshake has shown ---- */

static int
keep_certificates(struct tls_peer *peer, const SSL *tls)
{
	STACK_OF(X509) *sent = SSL_get_peer_cert_chain(tls);
	struct tls_chain *chain;

	peer->chain = chain = calloc(1, sizeof(*chain));
	if (chain == NULL)
		return ERR_MEMORY;
	chain->own = SSL_get1_peer_certificate(tls);
	if (chain->own == NULL)
		return ERR_PROTOCOL;
	if (sent != NULL && (chain->sent = X509_chain_up_ref(sent)) == NULL)
		return ERR_MEMORY;
	return 0;
}

static int
keep_der(struct tls_peer *peer)
{
	int length = i2d_X509(peer->chain->own, NULL);
	uint8_t *space;

	space = length <= 0 ? NULL
	                    : buffer_extend(&peer->der, (size_t)length);
	if (space == NULL)
		return ERR_MEMORY;
	i2d_X509(peer->chain->own, &space);
	return 0;
}

static int
keep_stapled(SSL *tls, struct buffer *out)
{
	const unsigned char *response = NULL;
	long length = SSL_get_tlsext_status_ocsp_resp(tls, &response);

	if (response != NULL && length > 0)
		buffer_append_span(out, span_of(response, (size_t)length));
	return out->error;
}

int
tls_peer_read(struct tls_peer *peer, SSL *tls, struct tls_context *context,
    const char *server_name)
{
	int err;

	if ((err = keep_certificates(peer, tls)) == 0 &&
	    (err = keep_der(peer)) == 0 &&
	    (err = keep_stapled(tls, &peer->stapled)) == 0 &&
	    (err = tls_peer_verify(peer, context)) == 0) {
		peer->rsa_bits = tls_rsa_bits(
		    X509_get0_pubkey(peer->chain->own));
		peer->name_valid = tls_peer_has_name(peer, server_name);
	}
	ERR_clear_error();
	return err;
}

void
tls_peer_free(struct tls_peer *peer)
{
	buffer_free(&peer->der);
	buffer_free(&peer->stapled);
	if (peer->chain == NULL)
		return;
	forget_verdict(peer);
	X509_free(peer->chain->own);
	sk_X509_pop_free(peer->chain->sent, X509_free);
	X509_STORE_free(peer->chain->authorities);
	free(peer->chain);
	peer->chain = NULL;
}
