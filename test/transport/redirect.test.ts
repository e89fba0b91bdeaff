import { describe, expect, test } from "vitest";
import { contentOf } from "../../src/oci/stream.ts";
import { isPrivate } from "../../src/transport/origin.ts";
import { redirect } from "../../src/transport/redirect.ts";
import { ask, respond, scripted } from "./support.ts";

const url = "https://registry.example/v2/app/blobs/sha256:ab";
const to = (location: string, status = 307): ReturnType<typeof respond> => respond(status, { location });

describe("what is followed", () => {
  test.each([301, 302, 303, 307, 308])("a GET and a HEAD by %i", async (status) => {
    for (const method of ["GET", "HEAD"] as const) {
      const net = scripted(to("/elsewhere", status), respond(200));
      expect(await redirect()(net)(ask(url, method))).toMatchObject({ status: 200 });
      expect(net.requests[1]).toMatchObject({ method, url: new URL("https://registry.example/elsewhere") });
    }
  });

  test.each([
    [307, 201],
    [308, 201],
    [301, 301],
    [302, 302],
    [303, 303],
  ])("a PUT by %i ends with %i", async (status, final) => {
    const body = { size: 1, open: contentOf(Buffer.from("x")) };
    const net = scripted(to("https://storage.example/x", status), respond(201));
    expect(await redirect()(net)(ask(url, "PUT", { body }))).toMatchObject({ status: final });
    if (final === 201) expect(net.requests[1]).toMatchObject({ method: "PUT", body });
  });

  test("five hops and no more", async () => {
    const hops = Array.from({ length: 6 }, (_, i) => to(`/${i}`));
    expect(await redirect()(scripted(...hops.slice(1), respond(200)))(ask(url))).toMatchObject({ status: 200 });
    await expect(redirect()(scripted(...hops))(ask(url))).rejects.toMatchObject({
      code: "NETWORK",
      message: "registry.example redirects more than 5 times",
      hint: expect.stringContaining("who runs it can mend them") as string,
    });
  });

  test.each([undefined, "http://[bad", "ftp://storage.example/x", "javascript:alert(1)"])(
    "nothing that is no URL of the web: %s",
    async (location) => {
      const net = scripted(respond(302, location === undefined ? {} : { location }));
      await expect(redirect()(net)(ask(url))).rejects.toMatchObject({
        code: "NETWORK",
        message: expect.stringContaining("without a URL") as string,
      });
    },
  );

  test("not an answer that is no redirect", async () => {
    expect(await redirect()(scripted(respond(304, { location: "/x" })))(ask(url))).toMatchObject({ status: 304 });
  });
});

describe("what goes along", () => {
  const headers = { accept: "a", range: "bytes=1-", authorization: "Bearer x", cookie: "c", "x-token": "t" };

  test("everything, to the same origin", async () => {
    const net = scripted(to("/x"), respond(200));
    await redirect()(net)(ask(url, "GET", { headers }));
    expect(net.requests[1]!.headers).toEqual(headers);
    expect(net.requests[1]!.anonymous).toBeUndefined();
  });

  test.each(["https://storage.example/x", "https://registry.example:444/x", "https://ann:pw@storage.example/x"])(
    "nothing that proves who we are, to another one: %s",
    async (location) => {
      const net = scripted(to(location), to("https://registry.example/back"), respond(200));
      await redirect()(net)(ask(url, "GET", { headers, transient: true }));
      expect(net.requests).toHaveLength(3);
      for (const request of net.requests.slice(1)) {
        expect(request).toMatchObject({
          headers: { accept: "a", range: "bytes=1-" },
          anonymous: true,
          transient: true,
        });
        expect(Object.keys(request.headers)).toEqual(["accept", "range"]);
        expect(request.url.username + request.url.password).toBe("");
      }
    },
  );
});

describe("where it does not go", () => {
  test.each([
    ["https://registry.example/", "http://registry.example/x", /TLS to plain HTTP/],
    ["https://registry.example/", "http://storage.example/x", /TLS to plain HTTP/],
    ["https://registry.example/", "https://127.0.0.1/x", /private network/],
    ["https://registry.example/", "https://localhost/x", /private network/],
    ["https://registry.example/", "https://169.254.169.254/latest/meta-data", /private network/],
    ["https://registry.example/", "https://0x7f.1/x", /private network/],
    ["https://registry.example/", "https://[::ffff:10.0.0.1]/x", /private network/],
    ["https://8.8.8.8/", "https://192.168.1.1/x", /private network/],
  ])("from %s to %s", async (from, location, message) => {
    await expect(redirect()(scripted(to(location)))(ask(from))).rejects.toMatchObject({
      code: "NETWORK",
      message: expect.stringMatching(message) as string,
      hint: expect.stringContaining("insecure") as string,
    });
  });

  test.each([
    ["http://127.0.0.1:5000/", "http://127.0.0.1:5001/x"],
    ["https://localhost/", "http://localhost:9000/x"],
    ["https://localhost/", "http://storage.example/x"],
    ["https://10.0.0.1/", "https://10.0.0.2/x"],
  ])("but from %s to %s, which is as it was", async (from, location) => {
    expect(await redirect()(scripted(to(location), respond(200)))(ask(from))).toMatchObject({ status: 200 });
  });

  test("unless the user declared the registry insecure", async () => {
    const isInsecure = (host: string): boolean => host === "registry.example";
    const net = scripted(to("https://10.0.0.2/x"), respond(200));
    expect(await redirect({ isInsecure })(net)(ask(url))).toMatchObject({ status: 200 });
    const plain = scripted(to("http://storage.example/x"), respond(200));
    expect(await redirect({ isInsecure })(plain)(ask(url))).toMatchObject({ status: 200 });
  });
});

test.each([
  ["127.0.0.1", true],
  ["localhost", true],
  ["registry.localhost", true],
  ["10.1.2.3", true],
  ["172.16.0.1", true],
  ["172.32.0.1", false],
  ["192.168.0.1", true],
  ["192.169.0.1", false],
  ["169.254.169.254", true],
  ["100.64.0.1", true],
  ["100.128.0.1", false],
  ["0.0.0.0", true],
  ["8.8.8.8", false],
  ["224.0.0.1", true],
  ["[::1]", true],
  ["[::]", true],
  ["[fe80::1]", true],
  ["[fd00::1]", true],
  ["[::ffff:a00:1]", true],
  ["[::ffff:808:808]", false],
  ["[64:ff9b::7f00:1]", true],
  ["[64:ff9b::808:808]", false],
  ["[2002:a00:1::]", true],
  ["[2606:4700::1111]", false],
  ["registry.example", false],
  ["10.example", false],
])("%s is of a private network: %s", (host, expected) => {
  expect(isPrivate(new URL(`https://${host}/`).hostname)).toBe(expected);
});
