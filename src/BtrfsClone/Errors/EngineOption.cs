namespace BtrfsClone;

/// <summary>An option of the engine that advice mentions. Each front end has its own name for it.</summary>
public enum EngineOption
{
    /// <summary><see cref="Cloning.CloneOptions.Atomic"/>.</summary>
    Atomic,

    /// <summary><see cref="Syncing.SyncOptions.Delete"/>.</summary>
    Delete,

    /// <summary><see cref="Cloning.CloneOptions.Force"/>.</summary>
    Force,

    /// <summary><see cref="Cloning.CloneOptions.NoClobber"/>.</summary>
    NoClobber,

    /// <summary><see cref="Cloning.CloneOptions.OneFileSystem"/>.</summary>
    OneFileSystem,

    /// <summary><see cref="Cloning.CloneOptions.PointInTime"/>.</summary>
    PointInTime,

    /// <summary><see cref="Cloning.ReflinkMode.Auto"/> as <see cref="Cloning.CloneOptions.Reflink"/>.</summary>
    ReflinkAuto,

    /// <summary>The base of <see cref="Cloning.CloneDestination.Into"/>.</summary>
    RelativeBase,

    /// <summary>A snapshot instead of a clone: <see cref="Cloning.SnapshotClone"/>.</summary>
    Snapshot,

    /// <summary><see cref="Cloning.CloneOptions.Workers"/>.</summary>
    Workers,
}
