import type { Digest } from "../../src/oci/digest.ts";
import { buildManifest } from "../../src/oci/manifest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import type { Store } from "../../src/store/store.ts";
import {
  allOf,
  artifact,
  image,
  indexOf,
  nestedIndex,
  putImage,
  twoPlatforms,
  type TestImage,
} from "../support/images.ts";

/** A repository that cleaning up has broken, or could. */
export interface Disaster {
  readonly name: string;
  /** Where it happened. */
  readonly seen?: string;
  /** The registry has to take indexes whose parts are not all there. */
  readonly sparse?: true;
  /** It has an index in an index, which skopeo does not copy. */
  readonly nested?: true;
  readonly put: (store: Store) => Promise<void>;
  readonly keepTags: readonly string[];
  /** What the kept tags need, and so must be there afterwards. */
  readonly mustStay: readonly Digest[];
  /** Everything else. */
  readonly mayGo: readonly Digest[];
}

const digests = (...images: readonly TestImage[]): readonly Digest[] => [
  ...new Set(images.flatMap(allOf).map(({ manifest }) => manifest.descriptor.digest)),
];

/** Puts images under their tags, children and subjects first. */
const putting =
  (...images: readonly (TestImage | readonly [TestImage, ...string[]])[]): Disaster["put"] =>
  async (store) => {
    for (const one of images) {
      const [what, ...tags] = "manifest" in one ? [one] : one;
      await putImage(store, what);
      for (const tag of tags) await store.putManifest(what.manifest, { tag });
    }
  };

/** An index as buildx makes it: each image with an attestation beside it, which the index says to be of that image. */
function attested(seed: string, platforms: readonly string[]): TestImage {
  const images = platforms.map((platform) => image(`${seed}/${platform}`, { platform }));
  const notes = images.map((_, i) => image(`${seed}/attestation ${i}`, { platform: "unknown/unknown", layers: 1 }));
  const entry = ({ manifest }: TestImage, platform: string, annotations?: object): object => {
    const { mediaType, digest, size } = manifest.descriptor;
    const [os, architecture] = platform.split("/");
    return { mediaType, digest, size, platform: { os, architecture }, ...(annotations && { annotations }) };
  };
  const manifest = buildManifest({
    mediaType: mediaTypes.ociIndex,
    manifests: [
      ...images.map((one, i) => entry(one, platforms[i]!)),
      ...notes.map((one, i) =>
        entry(one, "unknown/unknown", {
          "vnd.docker.reference.digest": images[i]!.manifest.descriptor.digest,
          "vnd.docker.reference.type": "attestation-manifest",
        }),
      ),
    ],
  });
  return { manifest, blobs: [], children: [...images, ...notes] };
}

/** What Cosign puts beside an image: an image whose tag names the digest. */
function cosigned(of: TestImage, suffix: string): readonly [TestImage, string] {
  const { digest } = of.manifest.descriptor;
  return [image(`${digest}.${suffix}`, { layers: 1 }), `${digest.replace(":", "-")}.${suffix}`];
}

function multiArch(): Disaster {
  const [old, current] = [twoPlatforms("old"), twoPlatforms("current")];
  return {
    name: "the parts of an index have no tags of their own",
    seen: "https://github.com/actions/delete-package-versions/issues/162",
    put: putting([old, "1.0"], [current, "2.0", "latest"]),
    keepTags: ["2.0", "latest"],
    mustStay: digests(current),
    mayGo: digests(old),
  };
}

function sharedPart(): Disaster {
  const part = image("shared part");
  const [old, current] = [indexOf([part, image("old arm", { platform: "linux/arm64" })]), indexOf([part])];
  return {
    name: "an index that goes has a part that another needs",
    seen: "https://github.com/snok/container-retention-policy/issues/43",
    put: putting([old, "1.0"], [current, "1.1"]),
    keepTags: ["1.1"],
    mustStay: digests(current),
    mayGo: digests(old).filter((digest) => digest !== part.manifest.descriptor.digest),
  };
}

function attestations(): Disaster {
  const [old, current] = [attested("a1", ["linux/amd64"]), attested("a2", ["linux/amd64", "linux/arm64"])];
  return {
    name: "attestations of buildx look like images without tag and platform",
    seen: "https://github.com/snok/container-retention-policy/issues/63",
    put: putting([old, "1.0"], [current, "1.1"]),
    keepTags: ["1.1"],
    mustStay: digests(current),
    mayGo: digests(old),
  };
}

function signatures(): Disaster {
  const [old, current] = [image("signed old"), twoPlatforms("signed current")];
  const [oldSigned, ...kept] = [
    cosigned(old, "sig"),
    cosigned(current, "sig"),
    cosigned(current, "att"),
    cosigned(current.children[1]!, "sbom"),
  ] as const;
  const ofSignature = cosigned(kept[0][0], "sig");
  return {
    name: "the tags of Cosign look like images, and hang on an index and on its parts",
    seen: "https://github.com/bsherman/bos/issues/8",
    put: putting([old, "1.0"], [current, "1.1"], oldSigned, ...kept, ofSignature),
    keepTags: ["1.1"],
    mustStay: digests(current, ...kept.map(([one]) => one), ofSignature[0]),
    mayGo: digests(old, oldSigned[0]),
  };
}

function referrers(): Disaster {
  const [old, current] = [twoPlatforms("described old"), twoPlatforms("described current")];
  const on = (of: TestImage, name: string): TestImage => artifact(name, of.manifest.descriptor);
  const [ofOld, ofIndex, ofPart] = [
    on(old.children[0]!, "old"),
    on(current, "index"),
    on(current.children[0]!, "part"),
  ];
  const ofReferrer = on(ofPart, "referrer");
  return {
    name: "what is attached to a part has no tag, nor has what is attached to that",
    put: putting([old, "1.0"], [current, "1.1"], ofOld, ofIndex, ofPart, ofReferrer),
    keepTags: ["1.1"],
    mustStay: digests(current, ofIndex, ofPart, ofReferrer),
    mayGo: digests(old, ofOld),
  };
}

function sharedDigest(): Disaster {
  const [old, current] = [image("plain old"), image("plain current")];
  return {
    name: "a tag that goes shares its image with one that stays",
    seen: "https://github.com/distribution/distribution/issues/1566",
    put: putting([old, "1.0"], [current, "1.1", "1.1-rc.1", "latest"]),
    keepTags: ["latest"],
    mustStay: digests(current),
    mayGo: digests(old),
  };
}

function indexOfIndexes(): Disaster {
  const [old, current] = [nestedIndex("nested old"), nestedIndex("nested current")];
  return {
    name: "an index of indexes",
    nested: true,
    put: putting([old, "1.0"], [current, "1.1"]),
    keepTags: ["1.1"],
    mustStay: digests(current),
    mayGo: digests(old),
  };
}

function partWithTag(): Disaster {
  const index = twoPlatforms("tagged part");
  const [amd64, arm64] = index.children as [TestImage, TestImage];
  return {
    name: "of an index that goes, one part has a tag that stays",
    put: putting([index, "1.0"], [amd64, "1.0-amd64"]),
    keepTags: ["1.0-amd64"],
    mustStay: digests(amd64),
    mayGo: [index.manifest.descriptor.digest, ...digests(arm64)],
  };
}

function keptReferrer(): Disaster {
  const [subject, lost] = [image("subject"), image("never put")];
  const [kept, orphan] = [artifact("kept", subject.manifest.descriptor), artifact("orphan", lost.manifest.descriptor)];
  return {
    name: "what a kept artifact is attached to has no tag; what another is attached to is not there",
    put: putting(subject, [kept, "sbom"], [orphan, "orphan"], [image("other"), "1.0"]),
    keepTags: ["sbom", "orphan"],
    mustStay: digests(subject, kept, orphan),
    mayGo: digests(image("other")),
  };
}

function dockerList(): Disaster {
  const [old, current] = [twoPlatforms("docker old", { docker: true }), twoPlatforms("docker new", { docker: true })];
  return {
    name: "a manifest list of Docker",
    put: putting([old, "1.0"], [current, "1.1"]),
    keepTags: ["1.1"],
    mustStay: digests(current),
    mayGo: digests(old),
  };
}

function sparseIndex(): Disaster {
  const whole = twoPlatforms("sparse");
  const [there] = whole.children as [TestImage];
  return {
    name: "an index of which only one part was copied",
    sparse: true,
    put: putting(there, [{ ...whole, children: [] }, "1.0"], [image("sparse other"), "0.9"]),
    keepTags: ["1.0"],
    mustStay: [whole.manifest.descriptor.digest, ...digests(there)],
    mayGo: digests(image("sparse other")),
  };
}

export const disasters: readonly Disaster[] = [
  multiArch(),
  sharedPart(),
  attestations(),
  signatures(),
  referrers(),
  sharedDigest(),
  indexOfIndexes(),
  partWithTag(),
  keptReferrer(),
  dockerList(),
  sparseIndex(),
];
