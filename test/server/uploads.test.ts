import { describe, expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import type { Access } from "../../src/server/access.ts";
import { pushBlob, testRegistry, type Answer, type Send } from "./support.ts";

const ten = "0123456789";
const digest = digestOf(ten);

const start = async (send: Send, name = "app"): Promise<string> => {
  const { headers } = await send("POST", `/v2/${name}/blobs/uploads/`);
  return headers["location"]!;
};
const stored = (send: Send, name = "app"): Promise<Answer> => send("GET", `/v2/${name}/blobs/${digest}`);

describe("a blob is pushed", () => {
  test("whole, with the POST that starts it", async () => {
    const { send } = testRegistry();
    const answer = await send("POST", `/v2/app/blobs/uploads/?digest=${digest}`, { body: ten });
    expect(answer.status).toBe(201);
    expect(answer.headers).toMatchObject({ location: `/v2/app/blobs/${digest}`, "docker-content-digest": digest });
    expect(await stored(send)).toMatchObject({ status: 200, text: ten });
  });

  test.each([false, true])("whole, with the PUT that ends it (chunked: %s)", async (chunked) => {
    const { send } = testRegistry();
    const begun = await send("POST", "/v2/app/blobs/uploads/");
    expect(begun.status).toBe(202);
    expect(begun.headers).toMatchObject({ range: "0-0", "content-length": "0" });
    expect(begun.headers["location"]).toBe(`/v2/app/blobs/uploads/${begun.headers["docker-upload-uuid"]}`);
    const answer = await send("PUT", `${begun.headers["location"]}?digest=${digest}`, { body: ten, chunked });
    expect(answer.status).toBe(201);
    expect(await stored(send)).toMatchObject({ status: 200, text: ten });
  });

  test("as a stream, as Docker does", async () => {
    const { send } = testRegistry();
    const location = await start(send);
    const patch = await send("PATCH", location, { body: ten, chunked: true });
    expect(patch).toMatchObject({ status: 202, headers: { range: "0-9", location } });
    expect(await send("PUT", `${location}?digest=${digest}`)).toMatchObject({ status: 201 });
    expect(await stored(send)).toMatchObject({ status: 200, text: ten });
  });

  test("in chunks, the last with the PUT", async () => {
    const { send } = testRegistry();
    const location = await start(send);
    const first = await send("PATCH", location, { body: "0123", headers: { "content-range": "0-3" } });
    expect(first).toMatchObject({ status: 202, headers: { range: "0-3" } });
    const second = await send("PATCH", location, { body: "456", headers: { "content-range": "4-6" }, chunked: true });
    expect(second).toMatchObject({ status: 202, headers: { range: "0-6" } });
    const put = await send("PUT", `${location}?digest=${digest}`, { body: "789", headers: { "content-range": "7-9" } });
    expect(put.status).toBe(201);
    expect(await stored(send)).toMatchObject({ status: 200, text: ten });
  });

  test("with sha512, announced or not", async () => {
    const { send } = testRegistry();
    const wide = digestOf(ten, "sha512");
    for (const query of ["", "?digest-algorithm=sha512"]) {
      const { headers } = await send("POST", `/v2/app/blobs/uploads/${query}`);
      await send("PATCH", headers["location"]!, { body: ten });
      expect(await send("PUT", `${headers["location"]}?digest=${wide}`)).toMatchObject({ status: 201 });
      const blob = await send("GET", `/v2/app/blobs/${wide}`);
      expect(blob).toMatchObject({ status: 200, text: ten, headers: { "docker-content-digest": wide } });
    }
  });

  test("with more bytes than are kept in memory", async () => {
    const { send } = testRegistry();
    const large = Buffer.alloc(3_000_000, "gantry");
    const location = await start(send);
    for (let at = 0; at < large.length; at += 700_000)
      await send("PATCH", location, { body: large.subarray(at, at + 700_000) });
    expect(await send("PUT", `${location}?digest=${digestOf(large)}`)).toMatchObject({ status: 201 });
    const blob = await send("GET", `/v2/app/blobs/${digestOf(large)}`);
    expect(Buffer.from(blob.bytes).equals(large)).toBe(true);
  });
});

describe("an upload", () => {
  test("says how far it is, and goes on from there", async () => {
    const { send } = testRegistry();
    const location = await start(send);
    expect(await send("GET", location)).toMatchObject({ status: 204, headers: { range: "0-0" } });
    await send("PATCH", location, { body: "01234" });
    expect(await send("GET", location)).toMatchObject({ status: 204, headers: { range: "0-4", location } });
  });

  test("takes no chunk out of order, and is none the worse for it", async () => {
    const { send } = testRegistry();
    const location = await start(send);
    await send("PATCH", location, { body: "0123", headers: { "content-range": "0-3" } });
    for (const range of ["0-3", "5-8", "3-6"]) {
      const wrong = await send("PATCH", location, { body: "4567", headers: { "content-range": range } });
      expect(wrong).toMatchObject({ status: 416, code: "RANGE_INVALID", headers: { range: "0-3", location } });
    }
    const put = await send("PUT", `${location}?digest=${digest}`, {
      body: "456789",
      headers: { "content-range": "2-7" },
    });
    expect(put.status).toBe(416);
    expect(await send("PUT", `${location}?digest=${digest}`, { body: "456789" })).toMatchObject({ status: 201 });
  });

  test.each(["bytes 0-3/*", "0-", "-3", "3-0", "a-b", "0-99999999999999999999", ""])(
    "Content-Range %j is refused",
    async (range) => {
      const { send } = testRegistry();
      const location = await start(send);
      const answer = await send("PATCH", location, { body: "0123", headers: { "content-range": range } });
      expect(answer).toMatchObject({ status: 400, code: "BLOB_UPLOAD_INVALID" });
    },
  );

  test.each([
    ["a body shorter than Content-Range", { "content-range": "0-9" }, true],
    ["a body longer than Content-Range", { "content-range": "0-1" }, true],
    ["another Content-Length than Content-Range", { "content-range": "0-1" }, false],
    ["a body shorter than Content-Length", { "content-length": "9" }, true],
    ["a body longer than Content-Length", { "content-length": "2" }, true],
  ] as const)("%s is refused", async (_, headers, chunked) => {
    const { send } = testRegistry();
    const location = await start(send);
    const answer = await send("PATCH", location, { body: "0123", headers, chunked });
    expect(answer).toMatchObject({ status: 400, code: "SIZE_INVALID" });
  });

  test("with another digest than promised leaves nothing", async () => {
    const { send } = testRegistry();
    const wrong = digestOf("something else");
    const location = await start(send);
    await send("PATCH", location, { body: ten });
    expect(await send("PUT", `${location}?digest=${wrong}`)).toMatchObject({ status: 400, code: "DIGEST_INVALID" });
    expect(await send("POST", `/v2/app/blobs/uploads/?digest=${wrong}`, { body: ten })).toMatchObject({
      status: 400,
      code: "DIGEST_INVALID",
    });
    expect(await send("HEAD", `/v2/app/blobs/${wrong}`)).toMatchObject({ status: 404 });
    expect(await stored(send)).toMatchObject({ status: 404 });
    expect(await send("GET", location)).toMatchObject({ status: 404, code: "BLOB_UPLOAD_UNKNOWN" });
  });

  test.each(["", "?digest=", "?digest=md5:abc", "?digest=sha256:../..", `?digest=${digest.toUpperCase()}`])(
    "is not ended by PUT %j",
    async (query) => {
      const { send } = testRegistry();
      const location = await start(send);
      expect(await send("PUT", `${location}${query}`, { body: ten })).toMatchObject({
        status: 400,
        code: "DIGEST_INVALID",
      });
    },
  );

  test("is cancelled by DELETE", async () => {
    const { send } = testRegistry();
    const location = await start(send);
    await send("PATCH", location, { body: Buffer.alloc(2_000_000) });
    expect(await send("DELETE", location)).toMatchObject({ status: 204 });
    for (const method of ["GET", "PATCH", "PUT", "DELETE"] as const) {
      const answer = await send(method, `${location}?digest=${digest}`, method === "GET" ? {} : { body: ten });
      expect(answer).toMatchObject({ status: 404, code: "BLOB_UPLOAD_UNKNOWN" });
    }
  });

  test("is over once it is committed", async () => {
    const { send } = testRegistry();
    const location = await start(send);
    await send("PUT", `${location}?digest=${digest}`, { body: ten });
    expect(await send("PATCH", location, { body: "more" })).toMatchObject({ status: 404 });
    expect(await stored(send)).toMatchObject({ status: 200, text: ten });
  });

  test("belongs to its repository and its user", async () => {
    const access: Access = { open: false, authorize: ({ headers }) => ({ allow: true, user: headers["x-user"]! }) };
    const { send } = testRegistry({ access });
    const ada = { headers: { "x-user": "ada" } };
    const begun = await send("POST", "/v2/app/blobs/uploads/", ada);
    const location = begun.headers["location"]!;
    expect(await send("GET", location, { headers: { "x-user": "bob" } })).toMatchObject({ status: 404 });
    expect(await send("GET", location.replace("/app/", "/other/"), ada)).toMatchObject({ status: 404 });
    expect(await send("GET", location, ada)).toMatchObject({ status: 204 });
  });

  test("takes one request at a time", async () => {
    const { send, transport } = testRegistry();
    const location = await start(send);
    const { promise: rest, resolve: sendRest } = Promise.withResolvers<Uint8Array>();
    const { promise: reading, resolve: started } = Promise.withResolvers<void>();
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("01234");
      started();
      yield await rest;
    }
    const first = transport({
      method: "PATCH",
      url: new URL(location, "http://registry.test"),
      headers: {},
      body: { open: async () => slow() },
    });
    await reading;
    expect(await send("PATCH", location, { body: "x" })).toMatchObject({ status: 409, code: "BLOB_UPLOAD_INVALID" });
    expect(await send("DELETE", location)).toMatchObject({ status: 409 });
    sendRest(Buffer.from("56789"));
    expect(await first).toMatchObject({ status: 202, headers: { range: "0-9" } });
    expect(await send("PUT", `${location}?digest=${digest}`)).toMatchObject({ status: 201 });
  });

  test.each([1, 2_000_000])("keeps what came before the client broke off (%i bytes)", async (size) => {
    const { send, transport } = testRegistry();
    const location = await start(send);
    const half = Buffer.alloc(size, "a");
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield half;
      throw new Error("connection lost");
    }
    const url = new URL(location, "http://registry.test");
    const answer = await transport({ method: "PATCH", url, headers: {}, body: { open: async () => broken() } });
    expect(answer.status).toBe(400);
    expect(await send("GET", location)).toMatchObject({ status: 204, headers: { range: `0-${size - 1}` } });
    const whole = digestOf(Buffer.concat([half, Buffer.from("rest")]));
    expect(await send("PUT", `${location}?digest=${whole}`, { body: "rest" })).toMatchObject({ status: 201 });
  });

  test.each(["/v2/app/blobs/uploads/nonsense", "/v2/app/blobs/uploads/..%2f..%2fetc", "/v2/app/blobs/uploads/%00"])(
    "%s is none",
    async (path) => {
      const { send } = testRegistry();
      expect(await send("PATCH", path, { body: ten })).toMatchObject({ status: 404, code: "BLOB_UPLOAD_UNKNOWN" });
    },
  );
});

describe("a mount", () => {
  test("from a repository that has the blob needs no bytes", async () => {
    const { send } = testRegistry();
    await pushBlob(send, "base", ten);
    const answer = await send("POST", `/v2/app/blobs/uploads/?mount=${digest}&from=base`);
    expect(answer).toMatchObject({
      status: 201,
      headers: { location: `/v2/app/blobs/${digest}`, "docker-content-digest": digest },
    });
    expect(await stored(send)).toMatchObject({ status: 200, text: ten });
  });

  test("from anywhere works where nobody says from where", async () => {
    const { send } = testRegistry();
    await pushBlob(send, "base", ten);
    expect(await send("POST", `/v2/app/blobs/uploads/?mount=${digest}`)).toMatchObject({ status: 201 });
    expect(await stored(send)).toMatchObject({ status: 200, text: ten });
  });

  test("from the repository itself says whether the blob is there", async () => {
    const { send } = testRegistry();
    const path = `/v2/app/blobs/uploads/?mount=${digest}&from=app`;
    const { status, headers } = await send("POST", path);
    expect(status).toBe(202);
    await send("PUT", `${headers["location"]}?digest=${digest}`, { body: ten });
    expect(await send("POST", path)).toMatchObject({ status: 201 });
  });

  test.each(["base", "nowhere", "../etc", "", "UPPER"])("of what is not in %j starts an upload", async (from) => {
    const { send } = testRegistry();
    await pushBlob(send, "base", "something else");
    const { status, headers } = await send("POST", `/v2/app/blobs/uploads/?mount=${digest}&from=${from}`);
    expect(status).toBe(202);
    expect(await send("PUT", `${headers["location"]}?digest=${digest}`, { body: ten })).toMatchObject({ status: 201 });
  });

  test.each(["&from=private", ""])(
    "of what the caller may not read looks like one of what is not there (%j)",
    async (from) => {
      const access: Access = {
        open: false,
        authorize: ({ headers }, { repository }) =>
          repository === "private" && headers["x-user"] !== "ada"
            ? { allow: false, reply: { status: 403, headers: {} } }
            : { allow: true },
      };
      const { send } = testRegistry({ access });
      const posted = await send("POST", `/v2/private/blobs/uploads/?digest=${digest}`, {
        body: ten,
        headers: { "x-user": "ada" },
      });
      expect(posted.status).toBe(201);
      expect(await send("POST", `/v2/app/blobs/uploads/?mount=${digest}${from}`)).toMatchObject({ status: 202 });
      expect(await stored(send)).toMatchObject({ status: 404 });
    },
  );

  test("of no digest is refused", async () => {
    const { send } = testRegistry();
    expect(await send("POST", "/v2/app/blobs/uploads/?mount=sha256:zz&from=base")).toMatchObject({
      status: 400,
      code: "DIGEST_INVALID",
    });
  });
});
