// Command cert-manager runs one of cert-manager's controllers with the arguments that its chart gives them:
// controller, webhook or cainjector. Issuers of the kinds CA and self-signed are built in, for certificates inside a cluster.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/spf13/pflag"
	logsapi "k8s.io/component-base/logs/api/v1"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

// A role reads its flags and runs until the context ends.
type role func(ctx context.Context, flags *pflag.FlagSet, arguments []string) error

var roles = map[string]role{"controller": controller, "webhook": webhook, "cainjector": cainjector}

func main() {
	logs.InitLogs()
	ctrl.SetLogger(klog.Background())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) < 2 || roles[os.Args[1]] == nil {
		fail(fmt.Errorf("name one of controller, webhook, cainjector first"))
	}
	name := os.Args[1]
	if err := roles[name](ctx, pflag.NewFlagSet(name, pflag.ContinueOnError), os.Args[2:]); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// The flags that the controller and the injector have in common.
type common struct {
	leaderNamespace string
	metrics         string
	logging         *logsapi.LoggingConfiguration
}

func (c *common) add(flags *pflag.FlagSet) {
	c.logging = logsapi.NewLoggingConfiguration()
	logs.AddFlagsNonDeprecated(c.logging, flags)
	flags.StringVar(&c.leaderNamespace, "leader-election-namespace", "kube-system", "namespace of the lease")
	flags.StringVar(&c.metrics, "metrics-listen-address", "0.0.0.0:9402", "address of metrics; 0 for none")
}
