/** Keeps the latest `capacity` items, numbered from 1. */
export class Ring<T> {
  private readonly slots: (T | undefined)[];
  private last = 0;

  constructor(readonly capacity: number) {
    this.slots = new Array<T | undefined>(capacity);
  }

  /** Adds an item and returns its number. */
  push(make: (n: number) => T): number {
    this.last++;
    this.slots[this.last % this.capacity] = make(this.last);
    return this.last;
  }

  /** The number of the latest item, 0 before the first. */
  get newest(): number {
    return this.last;
  }

  /** The number of the oldest item that is kept. */
  get oldest(): number {
    return Math.max(1, this.last - this.capacity + 1);
  }

  get size(): number {
    return Math.min(this.last, this.capacity);
  }

  get(n: number): T | undefined {
    return n >= this.oldest && n <= this.last ? this.slots[n % this.capacity] : undefined;
  }

  /** Up to count items before number n that pass, newest first. */
  before(n: number, count: number, pass: (item: T) => boolean): T[] {
    const out: T[] = [];
    for (let i = Math.min(n - 1, this.last); i >= this.oldest && out.length < count; i--) {
      const item = this.slots[i % this.capacity];
      if (item !== undefined && pass(item)) out.push(item);
    }
    return out;
  }
}
