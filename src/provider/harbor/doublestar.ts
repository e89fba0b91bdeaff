/** Something that a pattern asks for at one place of a text. */
type Step =
  | { readonly kind: "character"; readonly fits: (character: string) => boolean }
  /** `*`: any characters but slashes. */
  | { readonly kind: "star" }
  /** `**` as a whole component: any components; with `more` those that others follow. */
  | { readonly kind: "deep"; readonly more: boolean }
  | { readonly kind: "choice"; readonly ways: readonly (readonly Step[])[] };

/**
 * Whether a text is what a pattern of Harbor's rules means, which are those of bmatcuk/doublestar v1: `*`, `?`, `[a-z]`,
 * `{a,b}`, `\` before what is meant as it is, and `**` for any components. A pattern that is none fits nothing; an empty
 * one fits all. Takes time in proportion to the length of both.
 */
export function isDoublestarMatch(pattern: string, text: string): boolean {
  if (pattern === "") return true;
  if (pattern.length > longest) return false;
  const steps = parse(pattern);
  return steps !== undefined && walk(steps, text, new Set([0])).has(text.length);
}

/** Longer than any list of names; what is nested deeper than this allows would not be read to its end. */
const longest = 4096;

/** The places in a text after all steps, from those before them. */
function walk(steps: readonly Step[], text: string, from: ReadonlySet<number>): ReadonlySet<number> {
  let places = from;
  for (const step of steps) places = stride(step, text, places);
  return places;
}

function stride(step: Step, text: string, from: ReadonlySet<number>): ReadonlySet<number> {
  if (step.kind === "choice") return new Set(step.ways.flatMap((way) => [...walk(way, text, from)]));
  const to = new Set<number>();
  for (let place = 0, open = false; place <= text.length; place++) {
    const here = from.has(place);
    if (step.kind === "character") {
      if (here && place < text.length && step.fits(text[place]!)) to.add(place + 1);
    } else if (step.kind === "star") {
      open = here || (open && text[place - 1] !== "/");
      if (open) to.add(place);
    } else {
      // Before more components at this one or any later one; at the end of a pattern, with all that is left.
      open ||= here;
      if (step.more ? here || (open && text[place - 1] === "/") : open && place === text.length) to.add(place);
    }
  }
  return to;
}

/** Reads a pattern; undefined for what is none. */
function parse(pattern: string): readonly Step[] | undefined {
  const reader = { pattern, at: 0 };
  const steps = readSteps(reader, false);
  return reader.at === pattern.length ? steps : undefined;
}

interface Reader {
  readonly pattern: string;
  at: number;
}

function readSteps(reader: Reader, inChoice: boolean): readonly Step[] | undefined {
  const { pattern } = reader;
  const steps: Step[] = [];
  while (reader.at < pattern.length) {
    if (inChoice && /[,}]/.test(pattern[reader.at]!)) break;
    const step = readStep(reader);
    if (!step) return undefined;
    steps.push(step);
  }
  return steps;
}

function readStep(reader: Reader): Step | undefined {
  const { pattern, at } = reader;
  const character = pattern[at]!;
  if (character === "*") return readStars(reader);
  if (character === "[") return readClass(reader);
  if (character === "{") return readChoice(reader);
  const meant = character === "\\" ? pattern[at + 1] : character;
  reader.at += character === "\\" ? 2 : 1;
  if (meant === undefined) return undefined;
  if (character === "?") return { kind: "character", fits: (one) => one !== "/" };
  return { kind: "character", fits: (one) => one === meant };
}

function readStars(reader: Reader): Step {
  const { pattern, at } = reader;
  while (pattern[reader.at] === "*") reader.at++;
  const isBorder = (character: string | undefined): boolean => character === undefined || "/{,}".includes(character);
  const isDeep = reader.at - at === 2 && isBorder(pattern[at - 1]) && isBorder(pattern[reader.at]);
  if (!isDeep) return { kind: "star" };
  const more = pattern[reader.at] === "/";
  if (more) reader.at++;
  return { kind: "deep", more };
}

function readClass(reader: Reader): Step | undefined {
  const [whole, not, body] = /^\[(\^?)((?:\\.|[^\\\]])+)\]/s.exec(reader.pattern.slice(reader.at)) ?? [];
  if (whole === undefined) return undefined;
  const ranges = [...body!.matchAll(/(\\.|[^\\-])(?:-(\\.|[^\\-]))?/gs)];
  // What is left over, such as a hyphen at either end, is no class in Go.
  if (ranges.map(([range]) => range).join("") !== body) return undefined;
  reader.at += whole.length;
  const plain = (text: string): string => text.replace(/^\\/, "");
  const has = (one: string): boolean => ranges.some(([, low, high = low]) => one >= plain(low!) && one <= plain(high!));
  return { kind: "character", fits: (one) => one !== "/" && has(one) !== (not === "^") };
}

function readChoice(reader: Reader): Step | undefined {
  const ways: (readonly Step[])[] = [];
  do {
    reader.at++;
    const way = readSteps(reader, true);
    if (!way) return undefined;
    ways.push(way);
  } while (reader.pattern[reader.at] === ",");
  if (reader.pattern[reader.at] !== "}") return undefined;
  reader.at++;
  return { kind: "choice", ways };
}
