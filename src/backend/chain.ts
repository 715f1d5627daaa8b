/** A list whose items carry their own links: adding and taking out any of them costs nothing. */

/** What an item carries; only its chain changes it. An item is in one chain at a time. */
export interface Link<Item> {
  older: Item | undefined;
  newer: Item | undefined;
}

export class Chain<Item extends Link<Item>> {
  #oldest: Item | undefined;
  #newest: Item | undefined;
  #size = 0;

  get oldest(): Item | undefined {
    return this.#oldest;
  }

  get newest(): Item | undefined {
    return this.#newest;
  }

  get size(): number {
    return this.#size;
  }

  /** Makes it the newest. */
  add(item: Item): void {
    this.addBehind(this.#newest, item);
  }

  /** @param older the item to stand behind; undefined makes it the oldest */
  addBehind(older: Item | undefined, item: Item): void {
    const newer = older === undefined ? this.#oldest : older.newer;
    item.older = older;
    item.newer = newer;
    if (older === undefined) this.#oldest = item;
    else older.newer = item;
    if (newer === undefined) this.#newest = item;
    else newer.older = item;
    this.#size++;
  }

  /** The item must be in this chain. */
  remove(item: Item): void {
    const { older, newer } = item;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    item.older = item.newer = undefined;
    this.#size--;
  }
}
