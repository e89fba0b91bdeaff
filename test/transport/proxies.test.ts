import { inspect } from "node:util";
import { expect, test } from "vitest";
import { RegistryError } from "../../src/oci/error.ts";
import { settingsByHost, type HostSettings } from "../../src/transport/host-settings.ts";
import { parseProxy, proxiesOf } from "../../src/transport/proxies.ts";

const nameFor = (
  url: string,
  env: Record<string, string>,
  hosts: Record<string, HostSettings> = {},
): string | undefined => proxiesOf(env, settingsByHost(hosts))(new URL(url))?.name;

const plain = "http://registry.example/";
const secure = "https://registry.example/";
const a = "http://a.example:1";
const b = "http://b.example:2";

test.each<[string, Record<string, string>, string, string | undefined]>([
  ["nothing said", {}, secure, undefined],
  ["each scheme has its own", { http_proxy: a, https_proxy: b }, plain, "a.example:1"],
  ["each scheme has its own", { http_proxy: a, https_proxy: b }, secure, "b.example:2"],
  ["lower case goes first", { HTTPS_PROXY: a, https_proxy: b }, secure, "b.example:2"],
  ["an empty one is none", { HTTPS_PROXY: a, https_proxy: "" }, secure, "a.example:1"],
  ["ALL_PROXY is for what has none", { HTTP_PROXY: a, ALL_PROXY: b }, secure, "b.example:2"],
  ["ALL_PROXY is for what has none", { HTTP_PROXY: a, ALL_PROXY: b }, plain, "a.example:1"],
  ["a request's header is no setting", { HTTP_PROXY: a, REQUEST_METHOD: "GET" }, plain, undefined],
  ["NO_PROXY", { https_proxy: a, NO_PROXY: "example" }, secure, undefined],
  ["NO_PROXY", { https_proxy: a, no_proxy: "other.example" }, secure, "a.example:1"],
  ["NO_PROXY with the default port", { https_proxy: a, no_proxy: "registry.example:443" }, secure, undefined],
  ["this machine", { http_proxy: a }, "http://localhost:5000/", undefined],
  ["this machine", { http_proxy: a }, "http://127.0.0.1:5000/", undefined],
  ["this machine", { https_proxy: a }, "https://[::1]:5000/", undefined],
])("%s: %j, %s", (_, env, url, expected) => {
  expect(nameFor(url, env)).toBe(expected);
});

test.each<[string, Record<string, HostSettings>, string, string | undefined]>([
  ["a host's own goes before the environment's", { "registry.example": { proxy: b } }, secure, "b.example:2"],
  ["also where NO_PROXY says none", { "registry.example": { proxy: b } }, "https://registry.example", "b.example:2"],
  ["none", { "*": { proxy: false } }, "https://other.example", undefined],
  ["one for all", { "*": { proxy: b } }, "https://other.example", "b.example:2"],
  ["one for all is not for this machine", { "*": { proxy: b } }, "http://localhost:5000", undefined],
  ["unless it is named", { "*": { proxy: b }, "localhost:5000": { proxy: a } }, "http://localhost:5000", "a.example:1"],
  ["an address on this machine", { "other.example": { address: "127.0.0.1" } }, "https://other.example", undefined],
  ["an address in NO_PROXY", { "other.example": { address: "10.0.0.7" } }, "https://other.example", undefined],
  ["an address elsewhere", { "other.example": { address: "192.0.2.7" } }, "https://other.example", "a.example:1"],
])("settings: %s", (_, hosts, url, expected) => {
  expect(nameFor(url, { https_proxy: a, http_proxy: a, no_proxy: "registry.example,10.0.0.0/8" }, hosts)).toBe(
    expected,
  );
});

test.each([
  ["proxy.example:3128", "proxy.example:3128", undefined],
  ["proxy.example", "proxy.example:80", undefined],
  ["http://proxy.example/", "proxy.example:80", undefined],
  ["https://proxy.example", "proxy.example:443", undefined],
  ["http://[2001:db8::7]:3128", "[2001:db8::7]:3128", undefined],
  ["http://ann:s3cret@proxy.example:3128", "proxy.example:3128", "ann:s3cret"],
  ["ann:s3cret@proxy.example:3128", "proxy.example:3128", "ann:s3cret"],
  ["http://ann:p%40ss%3a%0d%0a@proxy.example:3128", "proxy.example:3128", "ann:p@ss:\r\n"],
  ["http://ann@proxy.example", "proxy.example:80", "ann:"],
])("%s is a proxy", (text, name, login) => {
  const proxy = parseProxy(text, "HTTPS_PROXY");
  expect(proxy.name).toBe(name);
  const header = proxy.login()["proxy-authorization"];
  expect(header && Buffer.from(header.replace("Basic ", ""), "base64").toString()).toBe(login);
  expect(inspect(proxy, { depth: 9 }) + JSON.stringify(proxy)).not.toContain("s3cret");
});

test.each([
  ["socks5://ann:s3cret@proxy.example:1080", "https_proxy: SOCKS proxies are not supported"],
  ["ftp://ann:s3cret@proxy.example", "https_proxy: ftp:// is not a way to a proxy"],
  ["http://ann:s3cret@proxy example", "https_proxy is not a URL"],
  ["http://proxy.example:s3cret", "https_proxy is not a URL"],
  ["http://ann:s3cret%@proxy.example", "https_proxy: its user or password has a % that"],
])("%s is none, which is said without the password", (text, message) => {
  const find = (): unknown => nameFor(secure, { https_proxy: text });
  expect(find).toThrow(RegistryError);
  expect(find).toThrow(
    expect.objectContaining({ code: "INVALID", message: expect.stringContaining(message) as string }),
  );
  expect(find).not.toThrow(/s3cret/);
});
