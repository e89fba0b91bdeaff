import { expect, test } from "vitest";
import { type OriginOptions, originReader } from "../../../src/server/access/origin.ts";
import { requestOf } from "./support.ts";

const tls = { secure: true };
const plain = { secure: false };

test.each<{
  name: string;
  options?: OriginOptions;
  secure: boolean;
  headers: Record<string, string>;
  realm: string;
  service: string;
}>([
  { name: "TLS", ...tls, headers: { host: "r.test" }, realm: "https://r.test/token", service: "r.test" },
  {
    name: "plain HTTP",
    ...plain,
    headers: { host: "127.0.0.1:5000" },
    realm: "http://127.0.0.1:5000/token",
    service: "127.0.0.1:5000",
  },
  { name: "upper case", ...tls, headers: { host: "R.Test" }, realm: "https://r.test/token", service: "r.test" },
  { name: "IPv6", ...plain, headers: { host: "[::1]:5000" }, realm: "http://[::1]:5000/token", service: "[::1]:5000" },
  {
    name: "a service name",
    options: { service: "registry" },
    ...tls,
    headers: { host: "r.test" },
    realm: "https://r.test/token",
    service: "registry",
  },
  {
    name: "a public URL, whatever Host says",
    options: { publicUrl: "https://hub.example:8443/" },
    ...plain,
    headers: { host: 'evil"', "x-forwarded-host": "evil" },
    realm: "https://hub.example:8443/token",
    service: "hub.example:8443",
  },
  {
    name: "a forwarded host, from nobody trusted",
    options: { trustedProxies: ["198.51.100.0/24"] },
    ...plain,
    headers: { host: "r.test", "x-forwarded-host": "evil", "x-forwarded-proto": "https" },
    realm: "http://r.test/token",
    service: "r.test",
  },
  {
    name: "a forwarded host, from a trusted proxy",
    options: { trustedProxies: ["192.0.2.0/24"] },
    ...plain,
    headers: {
      host: "inner:5000",
      "x-forwarded-host": "spoofed.test, hub.example",
      "x-forwarded-proto": "http, https",
    },
    realm: "https://hub.example/token",
    service: "hub.example",
  },
  {
    name: "a trusted proxy that forwards nothing",
    options: { trustedProxies: ["192.0.2.1"] },
    ...tls,
    headers: { host: "r.test" },
    realm: "https://r.test/token",
    service: "r.test",
  },
])("reads $name", ({ options = {}, secure, headers, realm, service }) => {
  expect(originReader(options)(requestOf({ secure, headers }))).toMatchObject({ realm, service });
});

test.each([
  "",
  " ",
  'evil"',
  "a b",
  "a/b",
  "a@b",
  "a\\b",
  "a,b",
  "evil.test#",
  "-a",
  "[::1",
  "a:port",
  "a:123456",
  "a".repeat(300),
])("refuses the host %j", (host) => {
  expect(originReader({})(requestOf({ headers: { host } }))).toBeUndefined();
});

test.each([
  { options: { publicUrl: "hub.example" }, says: "public URL" },
  { options: { publicUrl: "ftp://hub.example" }, says: "public URL" },
  { options: { publicUrl: "https://user:secret@hub.example" }, says: "public URL" },
  { options: { service: 'a"b' }, says: "service name" },
  { options: { trustedProxies: ["10.0.0.0/33"] }, says: "trusted proxy" },
  { options: { trustedProxies: ["proxy.test"] }, says: "trusted proxy" },
  { options: { trustedProxies: ["10.0.0.0/8/8x"] }, says: "trusted proxy" },
])("refuses $options", ({ options, says }) => {
  expect(() => originReader(options)).not.toThrow("secret");
  expect(() => originReader(options)).toThrow(
    expect.objectContaining({ code: "INVALID", message: expect.stringContaining(says) }),
  );
});

const proxies = ["192.0.2.0/24", "2001:db8:1::/48"];
test.each([
  { remote: "203.0.113.9", forwarded: "1.2.3.4", client: "203.0.113.9" },
  { remote: "::ffff:203.0.113.9", client: "203.0.113.9" },
  { remote: "192.0.2.7", client: "192.0.2.7" },
  { remote: "192.0.2.7", forwarded: "1.2.3.4", client: "1.2.3.4" },
  { remote: "::ffff:192.0.2.7", forwarded: "6.6.6.6, 1.2.3.4, 192.0.2.8", client: "1.2.3.4" },
  { remote: "192.0.2.7", forwarded: "1.2.3.4, nonsense", client: "192.0.2.7" },
  { remote: "2001:db8:1::7", forwarded: "2001:db8:2:3:4:5:6:7", client: "2001:db8:2:3" },
  { remote: "2001:DB8:2:3::1%eth0", client: "2001:db8:2:3" },
  { remote: "2001:db8::1", client: "2001:db8:0:0" },
  { remote: "::1", client: "0:0:0:0" },
  { remote: undefined, forwarded: "1.2.3.4", client: "in process" },
])("$remote for $forwarded is the client $client", ({ remote, forwarded, client }) => {
  const headers = { host: "r.test", ...(forwarded !== undefined && { "x-forwarded-for": forwarded }) };
  const { remote: _, ...rest } = requestOf({ headers });
  const request = remote === undefined ? rest : { ...rest, remote };
  expect(originReader({ trustedProxies: proxies })(request)?.client).toBe(client);
});
