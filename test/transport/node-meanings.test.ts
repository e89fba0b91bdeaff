import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { isNotTls, networkError } from "../../src/transport/network-error.ts";
import { parseProxy } from "../../src/transport/proxies.ts";
import { ask } from "./support.ts";

const request = ask("https://registry.example/v2/");
const coded = (code: string, message = "it failed"): Error => Object.assign(new Error(message), { code });
const openssl = (reason: string): Error =>
  coded("EPROTO", `write EPROTO 40:error:0A:SSL routines:ssl3_read:${reason}:../x.c:1:`);

describe("what Node throws is told as", () => {
  test.each<[Error, string, boolean]>([
    [coded("ECONNREFUSED"), "refused the connection", true],
    [coded("ECONNRESET"), "broke the connection off", true],
    [coded("EHOSTUNREACH"), "cannot be reached from here", true],
    [coded("EPERM"), "may not be connected to from here", false],
    [coded("EMFILE"), "cannot be connected to: this process has too many files open", false],
    [coded("ENOTFOUND"), "is not known: DNS has no such name", false],
    [coded("EAI_AGAIN"), "could not be looked up: DNS does not answer", true],
    [new AggregateError([coded("ECONNREFUSED"), coded("ENETUNREACH")]), "refused the connection", true],
    [coded("CERT_HAS_EXPIRED"), "has a TLS certificate that has expired", false],
    [coded("CERT_NOT_YET_VALID"), "has a TLS certificate that is not valid yet", false],
    [
      coded("UNABLE_TO_GET_ISSUER_CERT_LOCALLY"),
      "has a TLS certificate from an authority that is not trusted here",
      false,
    ],
    [coded("ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"), "wants a client certificate", false],
    [coded("ERR_SSL_TLSV1_ALERT_UNKNOWN_CA"), "does not take our client certificate", false],
    [coded("ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED"), "does not take our client certificate: it has expired", false],
    [openssl("ssl/tls alert bad certificate"), "does not take our client certificate", false],
    [openssl("tlsv1 unrecognized name"), "has no TLS certificate for this name", false],
    [openssl("wrong version number"), "does not speak TLS", false],
    [openssl("tlsv1 alert protocol version"), "speaks no TLS version that is allowed here", false],
    [openssl("unexpected eof while reading"), "broke the connection off", true],
    [openssl("something new"), "broke the TLS handshake off", false],
    [coded("HPE_INVALID_CONSTANT"), "sent something that is not an HTTP response", false],
    [coded("E_NEW"), "could not be talked to (E_NEW)", false],
    [new Error("no code"), "could not be talked to (unknown cause)", false],
  ])("%s", (error, says, retryable) => {
    const { hint: _, ...told } = networkError(error, request);
    expect(told).toMatchObject({ code: "NETWORK", host: "registry.example", retryable });
    expect(networkError(error, request).message).toBe(`registry.example ${says}`);
  });
});

test("a proxy may be whom a strange certificate is from; anything else keeps its hint", () => {
  const proxy = parseProxy("http://ann:s3cret@proxy.example:3128", "--proxy");
  const strange = networkError(coded("SELF_SIGNED_CERT_IN_CHAIN"), request, proxy);
  expect(strange.hint).toBe("if the proxy proxy.example:3128 looks into TLS, trust its CA certificate");
  expect(strange.proxy).toBe("proxy.example:3128");
  expect(networkError(coded("ENOTFOUND"), request, proxy).hint).toBe("check the spelling of the host");
  expect(inspect(strange, { depth: 9 })).not.toContain("s3cret");
});

test("whether TLS is spoken at all", () => {
  expect(isNotTls(networkError(openssl("wrong version number"), request))).toBe(true);
  expect(isNotTls(networkError(openssl("tlsv1 alert protocol version"), request))).toBe(false);
  expect(isNotTls(new Error("wrong version number"))).toBe(false);
});
