using BtrfsClone.Measuring;

namespace BtrfsClone.Reporting;

/// <summary>All directories and files of a report. It takes some 200 bytes for each.</summary>
internal sealed class ReportTree : IUsageLedger
{
    private readonly List<ReportNode> _nodes = [new ReportNode(0, null, [], isDirectory: true)];

    /// <summary>The parent of the given directories.</summary>
    public ReportNode Root => _nodes[0];

    /// <summary>All nodes by number.</summary>
    public IReadOnlyList<ReportNode> Nodes => _nodes;

    /// <summary>The same, each directory before its entries; available after <see cref="Arrange"/>.</summary>
    public IReadOnlyList<ReportNode> Ordered { get; private set; } = [];

    public EntryUsage Add(EntryUsage? parent, ReadOnlySpan<byte> name, bool isDirectory)
    {
        byte[] kept = name.ToArray();
        lock (_nodes)
        {
            var node = new ReportNode(_nodes.Count, (ReportNode?)parent ?? Root, kept, isDirectory);
            _nodes.Add(node);
            return node;
        }
    }

    /// <summary>Adds a node that represents small entries of a directory.</summary>
    public ReportNode AddFold(ReportNode directory)
    {
        var node = new ReportNode(_nodes.Count, directory, [], isDirectory: false) { IsFold = true };
        _nodes.Add(node);
        return node;
    }

    /// <summary>Orders the nodes, after all were added.</summary>
    public void Arrange()
    {
        foreach (ReportNode node in _nodes)
        {
            if (node.Parent is { } parent)
            {
                (node.NextSibling, parent.FirstChild) = (parent.FirstChild, node);
            }
        }

        var ordered = new List<ReportNode>(_nodes.Count);
        for (ReportNode? node = Root; node is not null; node = Next(node))
        {
            node.Order = ordered.Count;
            node.Depth = node.Parent is null ? 0 : node.Parent.Depth + 1;
            ordered.Add(node);
        }

        Ordered = ordered;
    }

    /// <summary>Gives each name of a file the usage of the file, and makes each directory count it once.</summary>
    /// <param name="linked">The node numbers of each file with several names.</param>
    public void Link(IEnumerable<int[]> linked)
    {
        foreach (int[] numbers in linked)
        {
            ReportNode[] names = [.. numbers.Distinct().Select(number => _nodes[number]).OrderBy(node => node.Order)];
            if (names.MaxBy(node => node.Files) is not { Files: > 0 } counted)
            {
                continue; // It was deleted while it was being measured.
            }

            for (int i = 0; i < names.Length; i++)
            {
                if (names[i].Files == 0)
                {
                    names[i].AddUsage(counted, 1);
                }

                if (i > 0)
                {
                    ReportNode.CommonOf(names[i - 1], names[i]).AddUsage(counted, -1);
                }
            }
        }
    }

    /// <summary>Adds the numbers of nodes that are not shown to the node that represents them.</summary>
    public void GiveToFolds()
    {
        for (int i = Ordered.Count - 1; i > 0; i--)
        {
            if (Ordered[i].IsFolded)
            {
                Ordered[i].Parent!.Add(Ordered[i]);
            }
        }
    }

    /// <summary>The next node of the tree, each directory before its entries.</summary>
    private static ReportNode? Next(ReportNode node)
    {
        if (node.FirstChild is not null)
        {
            return node.FirstChild;
        }

        ReportNode? up = node;
        while (up is not null && up.NextSibling is null)
        {
            up = up.Parent;
        }

        return up?.NextSibling;
    }
}
