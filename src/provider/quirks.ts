/** In what a service differs from the others, as data: shown by `doctor` and `ls --services`, and checked against its answers in tests. */
export interface Quirks {
  /** How blobs may be sent. */
  readonly upload: {
    /** A blob in one PUT. */
    readonly whole: boolean;
    /** In PATCHes of some size. */
    readonly chunks: boolean;
    /** The most bytes of one request, where that is known. */
    readonly largestBody?: number;
    /** The most bytes of a layer, where that is known. */
    readonly largestLayer?: number;
  };
  /** Whether blobs are mounted from another repository; `setting` where somebody has to switch that on. */
  readonly mount: "yes" | "no" | "setting" | "same project";
  /** Where referrers are listed: by the API, under `sha256-<hex>` tags, or this differs among its versions. */
  readonly referrers: "api" | "tags" | "differs";
  /** Who may list repositories by `_catalog`. */
  readonly catalog: "everybody" | "administrators" | "by scope" | "nobody";
  /** What a DELETE by tag does by the distribution API. */
  readonly deleteTag: "untags" | "refused" | "deletes the image" | "differs";
  /** What the service's own deletion of a tag does to an image that has no other; it stays, where nothing is said. */
  readonly lastTag?: "takes the image along";
  /** What a DELETE by digest does. */
  readonly deleteDigest: "all tags too" | "refused while tagged" | "refused";
  /** Whether a push makes the repository. */
  readonly createOnPush: "yes" | "no" | "setting" | "in a project";
  /** How it is told which tags never move: patterns of its own kind, or names; absent where it keeps all tags or none. */
  readonly immutableTags?: {
    readonly patterns: "wildcard" | "doublestar" | "regex" | "names";
    /** How many at most, and how many `*` each. */
    readonly most?: number;
    readonly stars?: number;
  };
  /** The most entries of a page: of tags by the distribution API, and of the service's own lists. */
  readonly pages: { readonly tags: number; readonly api?: number };
  /**
   * What the service's own list of images has: every manifest, also parts of indexes and what is attached; images, also
   * those without tags; or what tags name.
   */
  readonly lists: "manifests" | "images" | "tags";
  /**
   * What a GET of a manifest does beside: nothing, or it counts against a limit of pulls, or as the time of the last pull. The
   * lists of services where it does something tell what each image is attached to.
   */
  readonly manifestGet: "free" | "limited" | "recorded";
  /** The order of `tags/list`. */
  readonly tagOrder: "by name" | "oldest first" | "none";
  /** The headers that tell of limits. */
  readonly rateHeaders: readonly string[];
  /** How long a token or login lasts, in seconds. */
  readonly tokenSeconds?: number;
  /** Answers that mean something else than they say. */
  readonly lies: readonly Lie[];
}

export interface Lie {
  readonly status: number;
  /** What its body has. */
  readonly text: RegExp;
  readonly means: string;
}
