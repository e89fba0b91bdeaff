import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isRegistryError } from "../../src/oci/error.ts";
import { formatLocation, parseLocation, type Location } from "../../src/oci/location.ts";
import { anyText, bestDuration, thrownBy } from "./hostile.ts";
import { hex, sha256, sha512 } from "./reference-table.ts";

type LocalRow = readonly [text: string, transport: string, path: string, ref?: string];

describe("parseLocation", () => {
  test.for<LocalRow>([
    ["oci:images", "oci", "images"],
    ["oci:images:v1", "oci", "images", "v1"],
    ["oci:/srv/images:v1", "oci", "/srv/images", "v1"],
    ["oci:./images:v1", "oci", "./images", "v1"],
    [`oci:images@${sha256}`, "oci", "images", sha256],
    [`oci:images@${sha512}`, "oci", "images", sha512],
    ["oci:images:team/app:v1", "oci", "images", "team/app:v1"],
    ["oci:/srv/a:b/c:v1", "oci", "/srv/a", "b/c:v1"],
    ["oci:a@b:v1", "oci", "a@b", "v1"],
    ["oci:a@sha256", "oci", "a@sha256"],
    ["oci:with space:v1", "oci", "with space", "v1"],
    ["oci:-", "oci", "-"],
    ["oci:oci", "oci", "oci"],
    ["oci:dir:v1", "oci", "dir", "v1"],
    ["ocidir://images", "oci", "images"],
    ["ocidir://images:v1", "oci", "images", "v1"],
    ["ocidir:///srv/images:v1", "oci", "/srv/images", "v1"],
    [`ocidir://images@${sha256}`, "oci", "images", sha256],
    ["oci-archive:image.tar", "oci-archive", "image.tar"],
    ["oci-archive:image.tar:v1", "oci-archive", "image.tar", "v1"],
    ["oci-archive:-", "oci-archive", "-"],
    ["oci-archive:-:v1", "oci-archive", "-", "v1"],
    ["docker-archive:image.tar", "docker-archive", "image.tar"],
    ["docker-archive:image.tar:app:v1", "docker-archive", "image.tar", "app:v1"],
    ["docker-archive:image.tar:host.example:5000/app:v1", "docker-archive", "image.tar", "host.example:5000/app:v1"],
    ["docker-archive:image.tar:@0", "docker-archive", "image.tar", "@0"],
    ["docker-archive:-", "docker-archive", "-"],
    ["dir:out", "dir", "out"],
    ["dir:/srv/out:v1", "dir", "/srv/out:v1"],
    [`dir:out@${sha256}`, "dir", `out@${sha256}`],
    ["oci:C:\\images", "oci", "C:\\images"],
    ["oci:C:\\images:v1", "oci", "C:\\images", "v1"],
    ["oci:c:/images:v1", "oci", "c:/images", "v1"],
    [`oci:C:\\images@${sha256}`, "oci", "C:\\images", sha256],
    ["oci-archive:D:\\a b\\image.tar:v1", "oci-archive", "D:\\a b\\image.tar", "v1"],
    ["dir:C:\\out", "dir", "C:\\out"],
    ["oci:C:v1", "oci", "C", "v1"],
  ])("reads $0", ([text, transport, path, ref]) => {
    const read = parseLocation(text);
    expect(read).toEqual({ transport, path, ...(ref !== undefined && { ref }) });
    expect(parseLocation(formatLocation(read))).toEqual(read);
  });

  test.for<readonly [text: string, full: string]>([
    ["alpine", "docker.io/library/alpine"],
    ["docker://alpine:3.20", "docker.io/library/alpine:3.20"],
    [`docker://host.example:5000/app:v1@${sha256}`, `host.example:5000/app:v1@${sha256}`],
    ["localhost:5000/app", "localhost:5000/app"],
    ["oci", "docker.io/library/oci"],
    ["dir", "docker.io/library/dir"],
    ["oci-archive", "docker.io/library/oci-archive"],
    ["docker:dind", "docker.io/library/docker:dind"],
    ["library/oci:v1", "docker.io/library/oci:v1"],
    ["ocidirs:v1", "docker.io/library/ocidirs:v1"],
    ["directory/app", "docker.io/directory/app"],
  ])("takes %s for a reference", ([text, full]) => {
    const read = parseLocation(text);
    expect(read.transport).toBe("registry");
    expect(formatLocation(read)).toBe(full);
    expect(parseLocation(full)).toEqual(read);
  });

  test.for<readonly [text: string, message: string, hint?: string]>([
    ["", "it is empty"],
    ["docker://", "it is empty"],
    ["docker://docker://app", "it starts with docker://"],
    ["https://host.example/app", "it starts with https://", "leave https:// out"],
    ["http://host.example/app", "it starts with http://", "leave http:// out"],
    ["Docker://app", "it starts with Docker://", "leave Docker:// out"],
    ["oci:", "it names no path"],
    ["oci::v1", "it names no path"],
    [`oci:@${sha256}`, "it names no path"],
    ["ocidir://", "it names no path"],
    ["oci-archive:", "it names no path"],
    ["docker-archive::app", "it names no path"],
    ["dir:", "it names no path"],
    ["oci:images:", "nothing follows the last colon"],
    [`oci:images:v1@${sha256}`, "it has both a tag and a digest", "name the one or the other"],
    [`docker-archive:image.tar:app@${sha256}`, "it has both a tag and a digest"],
    [`oci:images@sha256:${hex.slice(1)}`, "the digest has 63 hexadecimal characters", "a digest is sha256:"],
    [`oci:images@${sha256}@${sha256}`, "a second digest, where one is all there can be"],
    [`oci:images@${sha256}:v1`, '":" is not a lower-case hexadecimal character'],
    ["oci:images@sha256:", "the digest has 0 hexadecimal characters"],
    ["oci://registry.example/app:v1", '"oci://" is no transport', "oci:PATH"],
    ["dir://out", '"dir://" is no transport', "dir:PATH"],
    ["docker-archive://image.tar", '"docker-archive://" is no transport'],
    ["ocidir:images", '"ocidir" is no transport', "oci:PATH"],
    ["docker-daemon:app:v1", '"docker-daemon" is no transport', "docker://REFERENCE"],
    ["podman:app", '"podman" is no transport'],
    ["containers-storage:app", '"containers-storage" is no transport'],
    ["tarball:a.tar", '"tarball" is no transport'],
    ["ftp://host.example/app", '"ftp://" is no transport'],
    ["s3://bucket/key", '"s3://" is no transport'],
    ["./a.tar", "it is a path, and does not say what is there", "oci-archive:./a.tar"],
    ["../images", "it is a path, and does not say what is there", "oci:../images"],
    ["/srv/images", "it is a path, and does not say what is there", "dir:/srv/images"],
    ["OCI:images", "an upper-case letter in the repository", 'write "oci:images"'],
  ])("refuses $0", ([text, message, hint = ""]) => {
    const error = thrownBy(() => parseLocation(text));
    expect(error).toMatchObject({ code: "INVALID", message: expect.stringContaining(message) });
    expect(error.hint ?? "").toContain(hint);
  });

  test("tells a registry's host with a port from a transport by docker://", () => {
    const read = parseLocation("docker://dir:5000/app:v1");
    expect(read).toEqual({ transport: "registry", reference: { registry: "dir:5000", repository: "app", tag: "v1" } });
    expect(formatLocation(read)).toBe("docker://dir:5000/app:v1");
    expect(parseLocation(formatLocation(read))).toEqual(read);
    expect(parseLocation("dir:5000/app")).toEqual({ transport: "dir", path: "5000/app" });
  });
});

const path = fc.stringMatching(/^[A-Za-z0-9._/-]{1,20}$/).filter((text) => !text.startsWith("//"));
const name = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,10}$/);
const local: fc.Arbitrary<Location> = fc.oneof(
  fc.record({ transport: fc.constant("dir" as const), path }),
  fc.record({ transport: fc.constantFrom("oci" as const, "oci-archive" as const, "docker-archive" as const), path }),
  fc.record({
    transport: fc.constantFrom("oci" as const, "oci-archive" as const, "docker-archive" as const),
    path,
    ref: fc.oneof(name, fc.constantFrom(sha256, sha512)),
  }),
);

test("local locations come back from their text", () => {
  fc.assert(
    fc.property(local, (one) => {
      expect(parseLocation(formatLocation(one))).toEqual(one);
    }),
  );
});

test("any text is a location or refused as INVALID", () => {
  const pieces = fc.constantFrom(
    "oci:",
    "ocidir://",
    "dir:",
    "docker://",
    "a",
    "B",
    "/",
    ":",
    "@",
    sha256,
    "-",
    "C:\\",
    " ",
    "\n",
    "é",
  );
  const text = fc.oneof(
    fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join("")),
    anyText,
  );
  fc.assert(
    fc.property(text, (one) => {
      try {
        const read = parseLocation(one);
        expect(parseLocation(formatLocation(read))).toEqual(read);
      } catch (error) {
        if (!isRegistryError(error, "INVALID")) throw error;
      }
    }),
    { numRuns: 300 },
  );
});

test.each([
  ["oci:", "a"],
  ["oci:", ":"],
  ["oci:", "@"],
  ["oci:", "@sha256:"],
  ["docker-archive:a", ":a"],
  ["", "a-"],
  ["", "a:"],
])("%j and very much of %j is read in no time", (start, more) => {
  const text = start + more.repeat(100_000 / more.length);
  const run = (): unknown => {
    try {
      return parseLocation(text);
    } catch (error) {
      if (!isRegistryError(error, "INVALID")) throw error;
      expect(error.message.length).toBeLessThan(2000);
      return error;
    }
  };
  expect(bestDuration(run)).toBeLessThan(50);
});
