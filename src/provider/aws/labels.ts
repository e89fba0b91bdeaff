import { plainText } from "../../store/remote/answer.ts";

/** What AWS calls tags of a resource, by name. */
export function labelsOf(
  tags: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] = [],
): Readonly<Record<string, string>> {
  return Object.fromEntries(tags.flatMap(({ Key, Value = "" }) => (Key ? [[plainText(Key), plainText(Value)]] : [])));
}
