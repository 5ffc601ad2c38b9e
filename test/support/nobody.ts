/** Root may read and write everything, so it becomes somebody else while it tries. */
export async function asNobody<T>(act: () => Promise<T>): Promise<T> {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid!(65_534);
  try {
    return await act();
  } finally {
    if (isRoot) process.seteuid!(0);
  }
}
