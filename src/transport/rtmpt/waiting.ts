import type { Post } from './post.ts';

/** Posts of one session that asked for their answer too early: nearly always none or one. */
export class Waiting {
  #posts: Post[] = [];
  #until = Infinity;

  /** When the first of them is to ask again, whatever happens. */
  get until(): number {
    return this.#until;
  }

  add(post: Post, until: number): void {
    if (!this.#posts.includes(post)) this.#posts.push(post);
    this.#until = Math.min(this.#until, until);
  }

  /** Its connection is gone. */
  remove(post: Post): void {
    const place = this.#posts.indexOf(post);
    if (place >= 0) this.#posts.splice(place, 1);
  }

  /** Lets everybody ask again. */
  wake(): void {
    this.#until = Infinity;
    if (this.#posts.length === 0) return;
    const posts = this.#posts;
    this.#posts = [];
    for (const post of posts) post.engine.wake();
  }
}
