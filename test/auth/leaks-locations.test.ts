import { expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { contentOf } from "../../src/oci/stream.ts";
import { remoteStore } from "../../src/store/remote/remote-store.ts";
import type { Req, Res } from "../../src/transport/transport.ts";
import { respond } from "../transport/support.ts";
import { attack, carrying, home, issued, proofs, type Sent } from "./attack.ts";

const bytes = Buffer.from("a layer");
const digest = digestOf(bytes);

/** Uploads a blob to a registry that sends the upload on to `location`. */
async function upload(location: string): Promise<{ readonly sent: readonly Sent[]; readonly shown: string }> {
  const answer = ({ url, method, headers }: Req): Res => {
    if (url.host === "auth.example") return respond(200, {}, JSON.stringify({ token: issued }));
    if (url.host !== home) return respond(401, { "www-authenticate": 'Bearer realm="https://evil.example/token"' });
    if (headers["authorization"] === undefined)
      return respond(401, { "www-authenticate": 'Bearer realm="https://auth.example/token",service="s"' });
    if (method === "HEAD") return respond(404);
    return method === "POST" ? respond(202, { location }) : respond(201, { "docker-content-digest": digest });
  };
  return attack(
    answer,
    (transport) =>
      remoteStore({ transport, registry: home, repository: "app" }).putBlob(
        { digest, size: bytes.length },
        contentOf(bytes),
      ),
    "basic",
  );
}

test.each([
  "https://storage.example/upload?signature=x",
  `https://${home}:8443/upload`,
  `https://cdn.${home}/upload`,
  `https://${home}.evil.example/upload`,
  `https://${home}@evil.example/upload`,
  `https://ann:x@evil.example/upload`,
  "//evil.example/upload",
  "https://203.0.113.7/upload",
])("an upload that is sent on to %s takes no credentials along", async (location) => {
  const { sent, shown } = await upload(location);
  const { origin } = new URL(location, `https://${home}`);
  expect(sent.map((one) => one.origin)).toContain(origin);
  expect(new Set(carrying(sent))).toEqual(new Set(["https://auth.example", `https://${home}`]));
  for (const proof of proofs) expect(shown).not.toContain(proof);
});

test.each([
  "http://evil.example/upload",
  "https://169.254.169.254/upload",
  "https://127.0.0.1:2375/upload",
  "https://[::ffff:10.0.0.1]/upload",
  "file:///etc/passwd",
])("an upload is not sent on to %s", async (location) => {
  const { sent } = await upload(location);
  expect(new Set(sent.map((one) => one.origin))).toEqual(new Set(["https://auth.example", `https://${home}`]));
});

test("a location in the registry itself is gone to with its token, over TLS even if it names the other scheme", async () => {
  const { sent } = await upload(`http://${home}/upload`);
  expect(sent.at(-1)).toMatchObject({ origin: `https://${home}`, method: "PUT" });
  expect(sent.at(-1)!.text).toContain(issued);
});
