import { describeBrokenPosts } from '../support/broken-posts.ts';

describeBrokenPosts(12, 7);
