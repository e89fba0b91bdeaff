import { expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { pushBlob, pushImage, testRegistry } from "./support.ts";

const ten = "0123456789";

test("a blob is read whole by GET and looked at by HEAD", async () => {
  const { send } = testRegistry();
  const digest = await pushBlob(send, "app", ten);
  for (const method of ["GET", "HEAD"] as const) {
    const { status, headers, text } = await send(method, `/v2/app/blobs/${digest}`);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      "content-length": "10",
      "content-type": "application/octet-stream",
      "docker-content-digest": digest,
      "docker-distribution-api-version": "registry/2.0",
      "accept-ranges": "bytes",
    });
    expect(text).toBe(method === "GET" ? ten : "");
  }
});

test.each([
  ["bytes=0-3", "0123", "bytes 0-3/10"],
  ["bytes=7-", "789", "bytes 7-9/10"],
  ["bytes=-2", "89", "bytes 8-9/10"],
  ["bytes=-100", ten, "bytes 0-9/10"],
  ["bytes=5-100", "56789", "bytes 5-9/10"],
  ["Bytes=9-9", "9", "bytes 9-9/10"],
])("%s gives a part", async (range, text, contentRange) => {
  const { send } = testRegistry();
  const digest = await pushBlob(send, "app", ten);
  const answer = await send("GET", `/v2/app/blobs/${digest}`, { headers: { range } });
  expect(answer).toMatchObject({ status: 206, text });
  expect(answer.headers).toMatchObject({ "content-range": contentRange, "content-length": String(text.length) });
});

test.each(["bytes=10-", "bytes=500-0", "bytes=5-2", "bytes=-0", "bytes=9999999999999999-"])(
  "%s is 416",
  async (range) => {
    const { send } = testRegistry();
    const digest = await pushBlob(send, "app", ten);
    const answer = await send("GET", `/v2/app/blobs/${digest}`, { headers: { range } });
    expect(answer).toMatchObject({ status: 416, code: "RANGE_INVALID" });
    expect(answer.headers["content-range"]).toBe("bytes */10");
  },
);

test.each(["bytes=", "bytes=-", "bytes=a-b", "lines=0-3", `bytes=${"0-1,".repeat(1000)}0-1`, "bytes=0-1, 5-6"])(
  "%s is no range to serve: the whole is",
  async (range) => {
    const { send } = testRegistry();
    const digest = await pushBlob(send, "app", ten);
    expect(await send("GET", `/v2/app/blobs/${digest}`, { headers: { range } })).toMatchObject({
      status: 200,
      text: ten,
    });
  },
);

test("an empty blob is a blob", async () => {
  const { send } = testRegistry();
  const digest = await pushBlob(send, "app", "");
  expect(await send("GET", `/v2/app/blobs/${digest}`)).toMatchObject({ status: 200, text: "" });
});

test("a blob is in the repositories it was pushed to, and in no other", async () => {
  const { send } = testRegistry();
  const digest = await pushBlob(send, "app", ten);
  expect(await send("GET", `/v2/other/blobs/${digest}`)).toMatchObject({ status: 404, code: "BLOB_UNKNOWN" });
  expect(await send("HEAD", `/v2/other/blobs/${digest}`)).toMatchObject({ status: 404 });
});

test("a deleted blob is gone from its repository, and stays in others", async () => {
  const { send } = testRegistry();
  const digest = await pushBlob(send, "app", ten);
  await pushBlob(send, "other", ten);
  expect(await send("DELETE", `/v2/app/blobs/${digest}`)).toMatchObject({ status: 202 });
  expect(await send("HEAD", `/v2/app/blobs/${digest}`)).toMatchObject({ status: 404 });
  expect(await send("DELETE", `/v2/app/blobs/${digest}`)).toMatchObject({ status: 404, code: "BLOB_UNKNOWN" });
  expect(await send("GET", `/v2/other/blobs/${digest}`)).toMatchObject({ status: 200, text: ten });
});

test("a manifest is read as a blob too, as containerd asks for it", async () => {
  const { send } = testRegistry();
  const digest = await pushImage(send, "app", "latest");
  const manifest = await send("GET", `/v2/app/manifests/${digest}`);
  expect(await send("GET", `/v2/app/blobs/${digest}`)).toMatchObject({ status: 200, text: manifest.text });
  expect(await send("GET", `/v2/app/blobs/${digest}`, { headers: { range: "bytes=0-0" } })).toMatchObject({
    status: 206,
    text: "{",
  });
});

test("a colon may be percent-encoded", async () => {
  const { send } = testRegistry();
  const digest = await pushBlob(send, "app", ten);
  expect(await send("GET", `/v2/app/blobs/${digest.replace(":", "%3A")}`)).toMatchObject({ status: 200 });
});

test("what the client has is not sent again", async () => {
  const { send } = testRegistry();
  const digest = await pushBlob(send, "app", ten);
  const { headers } = await send("HEAD", `/v2/app/blobs/${digest}`);
  const answer = await send("GET", `/v2/app/blobs/${digest}`, { headers: { "if-none-match": headers["etag"]! } });
  expect(answer).toMatchObject({ status: 304, text: "" });
  const other = await send("GET", `/v2/app/blobs/${digest}`, { headers: { "if-none-match": `"${digestOf("x")}"` } });
  expect(other.status).toBe(200);
});

test("a range is for GET, and for the content that If-Range names", async () => {
  const { send } = testRegistry();
  const digest = await pushBlob(send, "app", ten);
  const path = `/v2/app/blobs/${digest}`;
  const range = "bytes=0-3";
  expect(await send("HEAD", path, { headers: { range } })).toMatchObject({
    status: 200,
    headers: { "content-length": "10" },
  });
  const same = await send("GET", path, { headers: { range, "if-range": `"${digest}"` } });
  expect(same).toMatchObject({ status: 206, text: "0123" });
  for (const other of [`"${digestOf("x")}"`, "Sat, 21 Nov 2026 00:00:00 GMT"]) {
    expect(await send("GET", path, { headers: { range, "if-range": other } })).toMatchObject({
      status: 200,
      text: ten,
    });
  }
});
