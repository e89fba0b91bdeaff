/** What a web page calls itself, where an answer is one: a proxy's, or a network's that wants a login first. */
export function webPage(headers: Readonly<Record<string, string>>, text: string): string | undefined {
  const isHtml = /^\s*(?:text\/html|application\/xhtml)/i.test(headers["content-type"] ?? "");
  if (!isHtml && !/^\s*<(?:!doctype html|html)\b/i.test(text)) return undefined;
  const title = /<title[^>]{0,200}>([^<]{1,500})/i.exec(text)?.[1] ?? "";
  const name = title.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
  return name === "" ? "a web page" : `a web page, ${JSON.stringify(name.slice(0, 100))}`;
}

/** The way out where one came instead of what was asked for. */
export const webPageHint = "is it a registry? A proxy, or a network that wants a login first, may have answered for it";
