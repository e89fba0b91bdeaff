/**
 * On answers of a registry that has Gantry's extension of the distribution API (distribution-spec, "extensions"): the
 * version of its inventory.
 */
export const extensionHeader = "gantry-extension";
export const extensionVersion = "1";

/** The name of the extension in paths. */
export const extensionName = "_gantry";

/** What the pages of an inventory come as. */
export const inventoryType = "application/vnd.gantry.inventory.v1+json";

/** Where the inventory of a repository is. */
export function inventoryPath(repository: string): string {
  return `/v2/${repository}/${extensionName}/inventory/manifests`;
}
