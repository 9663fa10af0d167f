namespace BtrfsClone.Reporting;

/// <summary>Combines small entries, so that a page does not grow with the number of files.</summary>
internal static class SmallEntries
{
    /// <summary>Selects what is shown. Called before the tree is arranged.</summary>
    /// <param name="tree">The tree.</param>
    /// <param name="maxDirectories">The maximum number of directories.</param>
    /// <param name="maxFiles">The maximum number of files.</param>
    public static void Fold(ReportTree tree, int maxDirectories, int maxFiles)
    {
        int count = tree.Nodes.Count;
        long[] sizes = Sizes(tree);
        var shown = new bool[count];
        shown[0] = true;
        foreach (ReportNode given in tree.Nodes.Where(node => node.Parent == tree.Root))
        {
            shown[given.Number] = true; // It was requested.
        }

        Show(tree, sizes, shown, isDirectory: true, maxDirectories);
        Show(tree, sizes, shown, isDirectory: false, maxFiles);

        // A single file is shown itself, rather than a node that represents it.
        var hidden = new int[count];
        for (int i = 1; i < count; i++)
        {
            hidden[tree.Nodes[i].Parent!.Number] += shown[i] ? 0 : 1;
        }

        var folds = new Dictionary<ReportNode, ReportNode>();
        for (int i = 1; i < count; i++)
        {
            ReportNode node = tree.Nodes[i];
            ReportNode parent = node.Parent!;
            bool isShown = shown[i] || (!node.IsDirectory && shown[parent.Number] && hidden[parent.Number] == 1);
            if (isShown)
            {
                continue;
            }

            node.IsFolded = true;
            if (shown[parent.Number])
            {
                if (!folds.TryGetValue(parent, out ReportNode? fold))
                {
                    folds.Add(parent, fold = tree.AddFold(parent));
                }

                node.Parent = fold;
            }
        }
    }

    /// <summary>The usage below each node, in bytes of files.</summary>
    private static long[] Sizes(ReportTree tree)
    {
        var sizes = new long[tree.Nodes.Count];
        for (int i = sizes.Length - 1; i > 0; i--)
        {
            // A directory is added before its entries.
            ReportNode node = tree.Nodes[i];
            sizes[i] += node.Length + node.InlineDiskLength;
            sizes[node.Parent!.Number] += sizes[i];
        }

        return sizes;
    }

    /// <summary>Marks the largest nodes of a kind; none whose directory is not shown.</summary>
    private static void Show(ReportTree tree, long[] sizes, bool[] shown, bool isDirectory, int limit)
    {
        int[] numbers = [.. Enumerable.Range(1, shown.Length - 1).Where(number => tree.Nodes[number].IsDirectory == isDirectory)];
        if (numbers.Length > limit)
        {
            // Of equal ones, those added first, so that no directory comes after its entries.
            long[] keys = [.. numbers.Select(number => -sizes[number])];
            int[] sorted = [.. Enumerable.Range(0, numbers.Length).OrderBy(i => keys[i]).ThenBy(i => numbers[i]).Take(limit)];
            numbers = [.. sorted.Select(i => numbers[i])];
        }

        foreach (int number in numbers)
        {
            shown[number] = shown[tree.Nodes[number].Parent!.Number];
        }
    }
}
