package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	controllerpkg "github.com/cert-manager/cert-manager/pkg/controller"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/metrics"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	"github.com/cert-manager/cert-manager/pkg/healthz"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
	"github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/spf13/pflag"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"
)

const (
	// The one lease that the chart's role lets the controller hold.
	lease      = "cert-manager-controller"
	healthPort = ":9403"
	workers    = 5
	// The defaults of upstream's own flags.
	shortestRetry = time.Hour
	longestRetry  = 32 * time.Hour
	leaseTime     = 60 * time.Second
	renewTime     = 40 * time.Second
	retryTime     = 15 * time.Second
	queries       = 20
	burst         = 50
)

func controller(ctx context.Context, flags *pflag.FlagSet, arguments []string) error {
	var shared common
	shared.add(flags)
	resources := flags.String("cluster-resource-namespace", "kube-system", "namespace of ClusterIssuers' secrets")
	// The chart always gives these two. There are no ACME issuers here, so that neither is ever used.
	flags.String("acme-http01-solver-image", "", "for issuers that are not built in")
	flags.Int("max-concurrent-challenges", 0, "for issuers that are not built in")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if err := logs.ValidateAndApply(shared.logging); err != nil {
		return err
	}
	ctx = logs.NewContext(ctx, klog.Background(), "controller")
	factory, err := controllerpkg.NewContextFactory(ctx, controllerpkg.ContextOptions{
		KubernetesAPIQPS:   queries,
		KubernetesAPIBurst: burst,
		IssuerOptions:      controllerpkg.IssuerOptions{ClusterResourceNamespace: *resources},
		CertificateOptions: controllerpkg.CertificateOptions{
			CertificateRequestMinimumBackoffDuration: shortestRetry,
			CertificateRequestMaximumBackoffDuration: longestRetry,
		},
	})
	if err != nil {
		return err
	}
	base, err := factory.Build()
	if err != nil {
		return err
	}
	health := healthz.NewServer(leaseTime)
	listener, err := net.Listen("tcp", healthPort)
	if err != nil {
		return err
	}
	failed := make(chan error, 3)
	go func() { failed <- health.Start(ctx, listener) }()
	if shared.metrics != "0" {
		metrics, err := net.Listen("tcp", shared.metrics)
		if err != nil {
			return err
		}
		// When each certificate ends: who watches over them asks for that.
		base.Metrics.SetupCertificateCollector(base.SharedInformerFactory.Certmanager().V1().Certificates().Lister())
		server := base.Metrics.NewServer(metrics)
		go func() { failed <- server.Serve(metrics) }()
	}
	identity, err := os.Hostname()
	if err != nil {
		return err
	}
	lock := &resourcelock.LeaseLock{
		Client:     base.Client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
	}
	lock.LeaseMeta.Name, lock.LeaseMeta.Namespace = lease, shared.leaderNamespace
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:            lock,
		LeaseDuration:   leaseTime,
		RenewDeadline:   renewTime,
		RetryPeriod:     retryTime,
		ReleaseOnCancel: true,
		WatchDog:        health.LeaderHealthzAdaptor,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) { failed <- lead(ctx, factory, base) },
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return err
	}
	stopped := make(chan struct{})
	go func() {
		elector.Run(ctx)
		close(stopped)
	}()
	select {
	case err := <-failed:
		if ctx.Err() == nil {
			return err
		}
	case <-stopped:
		if ctx.Err() == nil {
			return fmt.Errorf("the lease %s is lost", lease)
		}
	}
	// Then it is given back, and the next one need not wait until it runs out.
	<-stopped
	return nil
}

// Runs every controller that is built in until the context ends.
func lead(ctx context.Context, factory *controllerpkg.ContextFactory, base *controllerpkg.Context) error {
	started := map[string]controllerpkg.Interface{}
	for name, construct := range controllerpkg.Known() {
		one, err := construct(factory)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		started[name] = one
	}
	base.SharedInformerFactory.Start(ctx.Done())
	base.KubeSharedInformerFactory.Start(ctx.Done())
	var all sync.WaitGroup
	failed := make(chan error, len(started))
	for name, one := range started {
		all.Go(func() {
			if err := one.Run(workers, ctx); err != nil {
				failed <- fmt.Errorf("%s: %w", name, err)
			}
		})
	}
	go func() { all.Wait(); close(failed) }()
	return <-failed
}
